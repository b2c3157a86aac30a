# The command: its tools as units, its words as scripts with their exact output, and the documents made from it.
lac_test(test_option SOURCE unit/test_option.c DEPS lac_cli_base)
lac_test(test_doc SOURCE unit/test_doc.c DEPS lac_cli_base)
lac_test(test_progress SOURCE unit/test_progress.c DEPS lac_cli_base)

if(NOT TARGET lacuna)
  return()
endif()

function(lac_script_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${A_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT}
                       ENVIRONMENT "LACUNA=$<TARGET_FILE:lacuna>;LACUNA_CACHE=${CMAKE_BINARY_DIR}/cache")
endfunction()

lac_script_test(headers_compile_alone TIMEOUT 300 LABELS quick
                COMMAND tests/cli/check_headers.sh ${CMAKE_C_COMPILER} ${CMAKE_BINARY_DIR})
lac_script_test(cli_words TIMEOUT 300 LABELS quick COMMAND tests/cli/run.sh words)
lac_script_test(cli_bad_input TIMEOUT 300 LABELS quick COMMAND tests/cli/run.sh bad_input)
lac_script_test(cli_train TIMEOUT 600 LABELS full COMMAND tests/cli/run.sh train)
# Scripts that run device rtl build a model with Verilator; they may build the same one.
find_program(LAC_VERILATOR verilator)
set_tests_properties(cli_train PROPERTIES RESOURCE_LOCK cli_cache)
if(LAC_VERILATOR)
  lac_script_test(cli_verify TIMEOUT 600 LABELS full COMMAND tests/cli/run.sh verify)
  set_tests_properties(cli_verify PROPERTIES RESOURCE_LOCK cli_cache)
endif()
lac_script_test(docs_are_current TIMEOUT 300 LABELS quick COMMAND scripts/docs --check)
if(OpenCL_FOUND AND LAC_VERILATOR)
  lac_script_test(cli_opencl TIMEOUT 600 LABELS full COMMAND tests/cli/run.sh opencl)
  set_tests_properties(cli_opencl PROPERTIES RESOURCE_LOCK cli_cache)
endif()
