# diffuse_add_suites(PROGRAM FOLDER TIMEOUT_S): a ctest entry, FOLDER.SUITE, for each suite of a GoogleTest program. Not
# one for each test, as gtest_discover_tests makes: LibTorch takes a quarter of a second to load, and the tests of a suite
# may share what is dear to make. The built program is asked for its suites, so that none can be forgotten.
function(diffuse_add_suites program folder timeout_s)
  set(file "${CMAKE_CURRENT_BINARY_DIR}/${program}_suites.cmake")
  add_custom_command(TARGET ${program} POST_BUILD VERBATIM BYPRODUCTS "${file}"
    COMMAND "${CMAKE_COMMAND}" -DPROGRAM=$<TARGET_FILE:${program}> -DFOLDER=${folder} -DTIMEOUT_S=${timeout_s}
      "-DFILE=${file}" -P "${PROJECT_SOURCE_DIR}/cmake/ListTestSuites.cmake")
  # Before it is built there is one entry, which fails.
  set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${program}_include.cmake")
  file(WRITE "${include_file}"
    "if(EXISTS \"${file}\")\n  include(\"${file}\")\nelse()\n  add_test(${program}_NOT_BUILT ${program}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
endfunction()
