# Writes FILE, the ctest entries of PROGRAM's suites: see TestSuites.cmake.
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE listing RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests failed: ${failed}")
endif()
# A suite stands at the beginning of a line, "Suite." or, with values or types, "Values/Suite." and "Suite/0.".
string(REGEX MATCHALL "\n[A-Za-z0-9_/]+\\." lines "\n${listing}")
set(suites "")
foreach(line ${lines})
  string(REGEX REPLACE "^\n|/[0-9]+\\.$|\\.$" "" suite "${line}")
  string(REGEX REPLACE "^[A-Za-z0-9_]*/" "" suite "${suite}")
  list(APPEND suites "${suite}")
endforeach()
list(REMOVE_DUPLICATES suites)
set(entries "")
foreach(suite ${suites})
  string(APPEND entries
    "add_test(${FOLDER}.${suite} \"${PROGRAM}\" \"--gtest_filter=${suite}.*:${suite}/*:*/${suite}.*:*/${suite}/*\")\n"
    "set_tests_properties(${FOLDER}.${suite} PROPERTIES TIMEOUT ${TIMEOUT_S})\n")
endforeach()
file(WRITE "${FILE}" "${entries}")
