# Run by BuildInfo.cmake at every build.
set(COMMIT "unknown")
if(GIT AND EXISTS "${SOURCE}/.git")
  # No optional locks: a build must not get in the way of a git command running meanwhile.
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env GIT_OPTIONAL_LOCKS=0
      "${GIT}" -C "${SOURCE}" describe --always --dirty --abbrev=10 --exclude "*"
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(COMMIT "${described}")
  endif()
endif()
file(READ "${SUMMARY_FILE}" SUMMARY)
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
