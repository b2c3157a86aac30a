# The kernel through its AXI pins: sim/axi.h, docs/system.md.
add_executable(test_axi ${CMAKE_CURRENT_LIST_DIR}/cosim/test_axi.c)
target_compile_options(test_axi PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
target_include_directories(test_axi PRIVATE ${CMAKE_SOURCE_DIR}/rtl/defs)
target_link_libraries(test_axi PRIVATE lac_sim lac_engine lac_graph_builder cmocka)

# lac_axi_cosim(mesh_x mesh_y drain act_words list_words lane data_bits)
function(lac_axi_cosim mesh_x mesh_y drain act_words list_words lane data_bits)
  set(name axi_${mesh_x}x${mesh_y}_drain${drain}_lane${lane}_${data_bits})
  add_test(NAME ${name} COMMAND test_axi ${ARGV})
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 600
    ENVIRONMENT "LACUNA_CACHE=${CMAKE_BINARY_DIR}/model-cache")
endfunction()
lac_axi_cosim(4 2 2 8192 1024 0 64)    # four groups a beat
lac_axi_cosim(4 4 16 8192 1024 1 64)   # two beats a group
lac_axi_cosim(2 2 1 16384 1024 0 512)  # sixty-four groups a beat
lac_axi_cosim(7 7 7 4096 2048 0 128)   # the default mesh
if(TARGET lacuna)
  add_test(NAME cli_axi COMMAND tests/cli/run.sh axi WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(cli_axi PROPERTIES LABELS full TIMEOUT 600 RESOURCE_LOCK cli_cache
    ENVIRONMENT "LACUNA=$<TARGET_FILE:lacuna>;LACUNA_CACHE=${CMAKE_BINARY_DIR}/cache")
endif()

# Every tool that reads the shell must accept it without a warning.
get_property(contract_dir GLOBAL PROPERTY LAC_CONTRACT_DIR)
set(shell_rtl ${CMAKE_SOURCE_DIR}/rtl)
set(lint_shell verilator --lint-only -Wall --unroll-count 4096 --unroll-stmts 1000000 --top-module lac_kernel
    -I${contract_dir} -I${shell_rtl}/prim -I${shell_rtl}/lane -I${shell_rtl}/engine -I${shell_rtl}/shell)
function(lac_shell_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 300)
endfunction()
foreach(bits 64 128 512)
  lac_shell_test(lint_shell_${bits} ${lint_shell} -GDATA_BITS=${bits} ${shell_rtl}/shell/lac_kernel.v)
endforeach()
lac_shell_test(lint_shell_1x1 ${lint_shell} -GMESH_X=1 -GMESH_Y=1 -GDRAIN=1 ${shell_rtl}/shell/lac_kernel.v)
lac_shell_test(refuse_data_bits ${lint_shell} -GDATA_BITS=96 ${shell_rtl}/shell/lac_kernel.v)
set_tests_properties(refuse_data_bits PROPERTIES PASS_REGULAR_EXPRESSION "DATA_BITS must be 64, 128, 256 or 512")
file(GLOB shell_sources CONFIGURE_DEPENDS ${shell_rtl}/prim/*.v ${shell_rtl}/lane/*.v ${shell_rtl}/engine/*.v
     ${shell_rtl}/shell/*.v)
list(JOIN shell_sources " " shell_all)
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/lint_shell.ys CONTENT
"read_verilog -I${contract_dir} ${shell_all}
hierarchy -check -top lac_kernel
proc
check -assert
")
lac_shell_test(lint_shell_yosys yosys ${CMAKE_CURRENT_BINARY_DIR}/lint_shell.ys)
set_tests_properties(lint_shell_yosys PROPERTIES FAIL_REGULAR_EXPRESSION "Warning")
lac_shell_test(lint_shell_icarus iverilog -g2005 -Wall -t null -I${contract_dir} -s lac_kernel ${shell_sources})

# The packaging script against the tables, and the check against a wrong table.
set(check_package ${CMAKE_CURRENT_LIST_DIR}/unit/check_package.sh)
set(package_tcl ${shell_rtl}/shell/vitis/package_kernel.tcl)
add_test(NAME package_lint COMMAND ${check_package} ${contract_dir} ${package_tcl} ${shell_rtl}/shell/lac_kernel.v)
add_test(NAME package_lint_notices COMMAND sh -c
  "rm -rf package_lint && cp -r ${contract_dir} package_lint && sed -i 's/offset=\"0x2C\"/offset=\"0x30\"/' package_lint/kernel.xml && ${check_package} package_lint ${package_tcl} ${shell_rtl}/shell/lac_kernel.v")
set_tests_properties(package_lint package_lint_notices PROPERTIES LABELS quick TIMEOUT 30)
set_tests_properties(package_lint_notices PROPERTIES PASS_REGULAR_EXPRESSION "kernel.xml and registers.tcl differ")
