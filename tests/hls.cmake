# The HLS kernel: its dialects, the rules of HLS, sanitizers, and OpenCL with every access checked.
get_property(contract_dir GLOBAL PROPERTY LAC_CONTRACT_DIR)
set(hls_scripts ${CMAKE_SOURCE_DIR}/tests/hls)
add_test(NAME hls_dialects COMMAND ${hls_scripts}/dialects.sh ${contract_dir})
add_test(NAME hls_lint COMMAND ${hls_scripts}/hls_twins.sh $<TARGET_FILE:hls_lint> ${contract_dir})
set_tests_properties(hls_dialects hls_lint PROPERTIES LABELS quick TIMEOUT 300)

# The kernel in a program with sanitizers, whatever the preset: for each engine of hls_engines.def.
set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/unit/hls_engines.def rows REGEX "^KERNEL")
# lac_sanitized_kernel(NAME FILE): FILE compiled for every engine, and the test that runs it.
function(lac_sanitized_kernel name file)
  set(objects "")
  foreach(row IN LISTS rows)
    string(REGEX MATCHALL "[A-Za-z0-9_]+" f "${row}")
    list(GET f 1 kernel)
    list(GET f 2 x)
    list(GET f 3 y)
    list(GET f 4 drain)
    list(GET f 5 acc)
    list(GET f 6 act)
    list(GET f 7 list)
    list(GET f 8 lane)
    list(GET f 9 bits)
    list(GET f 10 vector)
    list(GET f 11 scale)
    set(table 0)
    if(scale)
      set(table 1)
    endif()
    add_library(${name}_${kernel} OBJECT ${file})
    target_compile_options(${name}_${kernel} PRIVATE ${sanitize} -std=c99 -Wall -Wextra -Wpedantic -Werror)
    target_compile_definitions(${name}_${kernel} PRIVATE LAC_KERNEL_NAME=${kernel} LAC_MESH_X=${x} LAC_MESH_Y=${y}
      LAC_DRAIN=${drain} LAC_ACC_BITS=${acc} LAC_ACT_WORDS=${act} LAC_LIST_WORDS=${list} LAC_LANE=${lane}
      LAC_ACT_BITS=${bits} LAC_VECTOR=${vector} LAC_TABLE=${table} LAC_SCALE=${scale})
    target_link_libraries(${name}_${kernel} PRIVATE lac_contract lac_num)
    list(APPEND objects $<TARGET_OBJECTS:${name}_${kernel}>)
  endforeach()
  add_executable(${name} ${CMAKE_SOURCE_DIR}/tests/unit/test_hls_kernel.c ${objects})
  target_compile_options(${name} PRIVATE ${sanitize} ${LAC_WARNINGS})
  target_link_options(${name} PRIVATE -fsanitize=address,undefined)
  target_link_libraries(${name} PRIVATE lac_device lac_graph_builder cmocka)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 300)
endfunction()
lac_sanitized_kernel(test_hls_kernel ${CMAKE_SOURCE_DIR}/hls/lac_kernel.c)

# Copies that compute something else must not get past the comparison with the reference.
lac_test(test_hls_faults SOURCE unit/test_hls_faults.c DEPS lac_device lac_graph_builder LABELS full TIMEOUT 300)

# A copy that reads far beyond the program must not get past either checker.
set(faulty ${CMAKE_CURRENT_BINARY_DIR}/faulty/lac_kernel.c)
add_custom_command(OUTPUT ${faulty}
  COMMAND sed "s/at < reader->end . program.at. : 0/program[at + 70000]/" ${CMAKE_SOURCE_DIR}/hls/lac_kernel.c > ${faulty}
  COMMAND sh -c "! cmp -s ${CMAKE_SOURCE_DIR}/hls/lac_kernel.c ${faulty}"
  DEPENDS ${CMAKE_SOURCE_DIR}/hls/lac_kernel.c VERBATIM)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/faulty)
add_custom_target(faulty_kernel DEPENDS ${faulty})
lac_sanitized_kernel(test_hls_kernel_overrun ${faulty})
set_tests_properties(test_hls_kernel_overrun PROPERTIES PASS_REGULAR_EXPRESSION "AddressSanitizer: [a-zA-Z-]*|runtime error")

# Device xrt against a stub of XRT's headers, on a card that the test plays.
add_executable(test_device_xrt ${CMAKE_SOURCE_DIR}/tests/unit/test_device_xrt.c ${CMAKE_SOURCE_DIR}/host/device/device_xrt.c
               $<TARGET_OBJECTS:test_hls_kernel_kernel_3x2>)
target_include_directories(test_device_xrt PRIVATE ${CMAKE_SOURCE_DIR}/tests/stub)
target_compile_options(test_device_xrt PRIVATE ${sanitize} ${LAC_WARNINGS} -Wno-missing-prototypes)
target_compile_definitions(test_device_xrt PRIVATE LAC_HAVE_SIM=0 LAC_HAVE_OPENCL=0 LAC_HAVE_XRT=1)
target_link_options(test_device_xrt PRIVATE -fsanitize=address,undefined)
target_link_libraries(test_device_xrt PRIVATE lac_device lac_graph_builder cmocka)
add_test(NAME test_device_xrt COMMAND test_device_xrt)
set_tests_properties(test_device_xrt PROPERTIES LABELS quick TIMEOUT 300)

lac_test(test_lacuna SOURCE unit/test_lacuna.c DEPS lac_api lac_graph_builder)

# The command on a card of Xilinx's: a library that is loaded before OpenCL's plays it, and everything that may be wrong
# with it ends in a sentence and an exit code.
if(OpenCL_FOUND AND TARGET lacuna AND NOT LAC_SANITIZE)
  add_library(opencl_card MODULE ${CMAKE_SOURCE_DIR}/tests/stub/opencl_card.c)
  target_compile_options(opencl_card PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
  target_link_libraries(opencl_card PRIVATE lac_kernel_source OpenCL::OpenCL ${CMAKE_DL_LIBS})
  add_test(NAME cli_card COMMAND tests/cli/run.sh card WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(cli_card PROPERTIES LABELS full TIMEOUT 600
    ENVIRONMENT "OMP_NUM_THREADS=1;LACUNA=$<TARGET_FILE:lacuna>;LACUNA_CACHE=${CMAKE_BINARY_DIR}/cache;CARD=$<TARGET_FILE:opencl_card>")
endif()

# Networks of nets.def on all devices: those that take a moment here, all of them in bench/devices.csv.
find_program(LAC_VERILATOR verilator)
if(LAC_VERILATOR AND OpenCL_FOUND AND TARGET lacuna)
  set_target_properties(net_image PROPERTIES EXCLUDE_FROM_ALL FALSE)
  add_test(NAME devices_agree COMMAND ${hls_scripts}/devices_agree.sh ${CMAKE_BINARY_DIR})
  add_test(NAME test_set_agrees COMMAND ${hls_scripts}/test_set_agrees.sh $<TARGET_FILE:lacuna>)
  set_tests_properties(devices_agree test_set_agrees PROPERTIES LABELS full TIMEOUT 600
                       ENVIRONMENT "LACUNA_CACHE=${CMAKE_BINARY_DIR}/cache;OMP_NUM_THREADS=1")
endif()

# The library as others see it; a sanitized one cannot be linked into a program without sanitizers.
if(TARGET lacuna AND NOT LAC_SANITIZE)
  add_test(NAME installed_example COMMAND ${hls_scripts}/install.sh ${CMAKE_BINARY_DIR})
  set_tests_properties(installed_example PROPERTIES LABELS full TIMEOUT 300
                       ENVIRONMENT "LACUNA_CACHE=${CMAKE_BINARY_DIR}/cache")
endif()

if(NOT OpenCL_FOUND)
  return()
endif()
# The same pair on device opencl under Oclgrind; it cannot be loaded under AddressSanitizer.
find_program(LAC_OCLGRIND oclgrind)
set(wrapped clGetPlatformIDs clGetPlatformInfo clCreateProgramWithBinary clBuildProgram clCreateKernel clCreateBuffer
            clWaitForEvents clGetEventInfo clEnqueueMigrateMemObjects clEnqueueNDRangeKernel)
list(TRANSFORM wrapped PREPEND LINKER:--wrap=)
lac_test(test_device_opencl SOURCE unit/test_device_opencl.c DEPS lac_device lac_graph_builder LABELS full TIMEOUT 300)
target_link_options(test_device_opencl PRIVATE ${wrapped})
target_compile_definitions(test_device_opencl PRIVATE LAC_HAVE_SIM=0 LAC_HAVE_OPENCL=1 LAC_HAVE_XRT=0)
add_executable(test_opencl_tiny unit/test_opencl_tiny.c)
add_executable(test_opencl_overrun unit/test_opencl_tiny.c ${CMAKE_CURRENT_BINARY_DIR}/faulty_source.c)
get_property(kernel_files GLOBAL PROPERTY LAC_KERNEL_FILES)
list(TRANSFORM kernel_files REPLACE "^.*/lac_kernel.c$" ${faulty})
add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/faulty_source.c
  COMMAND ${CMAKE_COMMAND} "-DOUT=${CMAKE_CURRENT_BINARY_DIR}/faulty_source.c" "-DFILES=${kernel_files}"
          -P ${CMAKE_SOURCE_DIR}/hls/embed.cmake
  DEPENDS ${faulty} ${kernel_files} VERBATIM)
foreach(tiny test_opencl_tiny test_opencl_overrun)
  target_compile_options(${tiny} PRIVATE ${LAC_WARNINGS})
  target_link_libraries(${tiny} PRIVATE lac_device lac_graph_builder)
endforeach()
add_test(NAME opencl_tiny COMMAND test_opencl_tiny)
set_tests_properties(opencl_tiny PROPERTIES LABELS full TIMEOUT 300)
if(LAC_OCLGRIND AND NOT LAC_SANITIZE)
  add_test(NAME oclgrind_is_content COMMAND ${LAC_OCLGRIND} $<TARGET_FILE:test_opencl_tiny>)
  set_tests_properties(oclgrind_is_content PROPERTIES LABELS full TIMEOUT 300 PASS_REGULAR_EXPRESSION "equal"
                       FAIL_REGULAR_EXPRESSION "Invalid|Error|error")
  add_test(NAME oclgrind_finds_an_overrun COMMAND ${LAC_OCLGRIND} $<TARGET_FILE:test_opencl_overrun>)
  set_tests_properties(oclgrind_finds_an_overrun PROPERTIES LABELS full TIMEOUT 300 PASS_REGULAR_EXPRESSION
                       "Invalid read of size")
endif()
