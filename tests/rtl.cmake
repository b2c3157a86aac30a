# The contract, the simulator and the engine. Models of the engine are built in, and kept by, the build tree.
if(NOT LAC_TESTS_DIR)
  set(LAC_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})
endif()
set(rtl_model_cache ${CMAKE_BINARY_DIR}/model-cache)
get_filename_component(rtl_source_dir ${LAC_TESTS_DIR}/.. ABSOLUTE)

add_executable(test_engine ${LAC_TESTS_DIR}/cosim/test_engine.c ${LAC_TESTS_DIR}/cosim/cosim_net.c
               ${LAC_TESTS_DIR}/cosim/cosim_encode.c ${LAC_TESTS_DIR}/cosim/cosim_vector.c)
target_compile_options(test_engine PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
target_compile_definitions(test_engine PRIVATE LAC_RTL_SOURCE_DIR="${rtl_source_dir}")
target_link_libraries(test_engine PRIVATE lac_sim lac_num cmocka)

# lac_cosim(mesh_x mesh_y drain acc_bits act_words list_words lane act_bits vector); neither tables nor factors
function(lac_cosim mesh_x mesh_y drain acc_bits act_words list_words lane act_bits vector)
  set(name cosim_${mesh_x}x${mesh_y}_drain${drain}_lane${lane}_act${act_bits}_vector${vector})
  add_test(NAME ${name} COMMAND test_engine ${ARGV} 0 0)
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 300 ENVIRONMENT "LACUNA_CACHE=${rtl_model_cache}")
endfunction()
lac_cosim(1 1 1 24 1024 200 0 8 0)
lac_cosim(2 2 1 24 1024 64 0 8 0)   # the ring is full most of the time
lac_cosim(3 2 2 22 1024 333 0 8 0)  # groups straddle rows; sizes that are no powers of two
lac_cosim(4 2 8 32 1000 256 0 8 0)  # the whole mesh is drained in one cycle
lac_cosim(2 2 1 24 1024 200 1 8 0)  # lanes that add digits
lac_cosim(3 2 2 26 1024 333 1 3 0)
lac_cosim(7 7 7 26 4096 2048 1 8 0)
lac_cosim(2 2 4 16 1024 200 0 8 0) # narrow accumulators
lac_cosim(3 2 2 22 1024 333 2 5 0) # multipliers in logic
lac_cosim(2 2 2 22 1024 200 2 4 0) # two pairs of bits, a lone bit
lac_cosim(2 2 2 22 1024 200 2 1 0)
lac_cosim(4 4 4 24 1024 512 0 4 0)
lac_cosim(8 4 2 26 1024 700 0 8 0) # several images share the mesh
lac_cosim(2 8 4 26 1024 700 0 8 0) # groups of two rows
lac_cosim(8 8 2 26 1024 700 1 8 0)
lac_cosim(7 7 7 24 4096 2048 0 8 0) # the default
lac_cosim(2 2 2 26 1000 200 0 8 4) # vector units
lac_cosim(3 2 2 24 1024 333 0 8 8)
lac_cosim(2 2 1 26 1024 200 1 5 8)
lac_cosim(4 4 8 22 1000 512 2 4 16)
add_test(NAME cosim_fault_vector COMMAND test_engine 2 2 2 24 1024 64 0 8 8 0 0 fault)
set_tests_properties(cosim_fault_vector PROPERTIES LABELS full TIMEOUT 300
  ENVIRONMENT "LACUNA_CACHE=${rtl_model_cache}")
add_test(NAME cosim_fault COMMAND test_engine 2 2 2 24 256 64 0 8 0 0 0 fault)
set_tests_properties(cosim_fault PROPERTIES LABELS full TIMEOUT 300 ENVIRONMENT "LACUNA_CACHE=${rtl_model_cache}")

add_executable(test_requantize ${LAC_TESTS_DIR}/cosim/test_requantize.c)
target_compile_options(test_requantize PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
target_compile_definitions(test_requantize PRIVATE LAC_RTL_SOURCE_DIR="${rtl_source_dir}")
target_link_libraries(test_requantize PRIVATE lac_core lac_num cmocka)
add_test(NAME cosim_requantize COMMAND test_requantize)
set_tests_properties(cosim_requantize PROPERTIES LABELS full TIMEOUT 300)

lac_test(test_sim SOURCE ${LAC_TESTS_DIR}/unit/test_sim.c DEPS lac_sim LABELS full TIMEOUT 300)
target_compile_definitions(test_sim PRIVATE LAC_RTL_SOURCE_DIR="${rtl_source_dir}")
set_tests_properties(test_sim PROPERTIES ENVIRONMENT "LACUNA_CACHE=${rtl_model_cache}")

# The contract, and its generator on a wrong table.
get_property(contract_dir GLOBAL PROPERTY LAC_CONTRACT_DIR)
add_executable(lac_contract_gen_faulty ${rtl_source_dir}/rtl/defs/contract.c ${rtl_source_dir}/rtl/defs/registers.c)
target_include_directories(lac_contract_gen_faulty PRIVATE ${rtl_source_dir}/rtl/defs)
target_compile_definitions(lac_contract_gen_faulty PRIVATE
  LAC_PROGRAM_DEF="${LAC_TESTS_DIR}/unit/overlapping_program.def"
  LAC_REGISTERS_DEF="${LAC_TESTS_DIR}/unit/misplaced_registers.def")
lac_test(test_contract SOURCE ${LAC_TESTS_DIR}/unit/test_contract.c DEPS lac_contract)
target_include_directories(test_contract PRIVATE ${rtl_source_dir}/rtl/defs)
target_compile_definitions(test_contract PRIVATE LAC_CONTRACT_VH="${contract_dir}/lac_contract.vh"
  LAC_KERNEL_XML="${contract_dir}/kernel.xml"
  LAC_FAULTY_GENERATOR="$<TARGET_FILE:lac_contract_gen_faulty>")
add_dependencies(test_contract lac_contract_gen_faulty)

# Every tool that reads the RTL must accept it without a warning. Each floor is linted with only itself and lower
# floors on the search path.
set(rtl_dir ${rtl_source_dir}/rtl)
set(verilator_lint verilator --lint-only -Wall --unroll-count 4096 --unroll-stmts 1000000)
set(rtl_prim ${rtl_dir}/prim/ram_1r1w.v ${rtl_dir}/prim/fifo.v)
set(rtl_lane ${rtl_dir}/lane/requantize.v ${rtl_dir}/lane/lane_array.v)
set(rtl_engine program_parser list_decoder list_ring replayer drain step_counters vector_unit lac_engine)
list(TRANSFORM rtl_engine PREPEND ${rtl_dir}/engine/)
list(TRANSFORM rtl_engine APPEND .v)
set(rtl_sources ${rtl_prim} ${rtl_lane} ${rtl_engine})
list(JOIN rtl_sources " " rtl_all)

function(lac_rtl_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 300)
endfunction()
foreach(module ram_1r1w fifo)
  lac_rtl_test(lint_prim_${module} ${verilator_lint} --top-module ${module} ${rtl_dir}/prim/${module}.v)
endforeach()
lac_rtl_test(lint_lane_requantize ${verilator_lint} --top-module requantize ${rtl_dir}/lane/requantize.v)
lac_rtl_test(lint_lane_array ${verilator_lint} --top-module lane_array -I${rtl_dir}/prim ${rtl_dir}/lane/lane_array.v)
set(lint_engine ${verilator_lint} --top-module lac_engine -I${contract_dir} -I${rtl_dir}/prim -I${rtl_dir}/lane
    -I${rtl_dir}/engine)
foreach(shape "7 7 7" "1 1 1" "4 2 8" "3 2 2" "2 2 1" "8 8 16")
  string(REPLACE " " ";" size ${shape})
  list(GET size 0 mesh_x)
  list(GET size 1 mesh_y)
  list(GET size 2 drain)
  lac_rtl_test(lint_engine_${mesh_x}x${mesh_y}_drain${drain} ${lint_engine} -GMESH_X=${mesh_x} -GMESH_Y=${mesh_y}
    -GDRAIN=${drain} ${rtl_dir}/engine/lac_engine.v)
endforeach()
foreach(kind 0 1 2)
  lac_rtl_test(lint_engine_lane${kind}_act4 ${lint_engine} -GLANE=${kind} -GACT_BITS=4 ${rtl_dir}/engine/lac_engine.v)
endforeach()
foreach(kind 0 1 2)
  foreach(scale 1 2)
    lac_rtl_test(lint_engine_factors${scale}_lane${kind} ${lint_engine} -GTABLE=1 -GSCALE=${scale} -GLANE=${kind} -GVECTOR=8
      ${rtl_dir}/engine/lac_engine.v)
  endforeach()
endforeach()
lac_rtl_test(lint_engine_gates_narrow ${lint_engine} -GTABLE=1 -GSCALE=2 -GACT_BITS=1 -GACC_BITS=16 -GMESH_X=2
  -GMESH_Y=2 -GDRAIN=1 ${rtl_dir}/engine/lac_engine.v)
lac_rtl_test(refuse_table ${lint_engine} -GTABLE=2 ${rtl_dir}/engine/lac_engine.v)
set_tests_properties(refuse_table PROPERTIES PASS_REGULAR_EXPRESSION "TABLE must be 0 or 1")
lac_rtl_test(refuse_scale ${lint_engine} -GSCALE=3 ${rtl_dir}/engine/lac_engine.v)
set_tests_properties(refuse_scale PROPERTIES PASS_REGULAR_EXPRESSION "SCALE must be 0, 1 or 2")
foreach(vector 4 8 16)
  lac_rtl_test(lint_engine_vector${vector} ${lint_engine} -GVECTOR=${vector} ${rtl_dir}/engine/lac_engine.v)
endforeach()
lac_rtl_test(lint_engine_narrowest ${lint_engine} -GACC_BITS=16 -GACT_BITS=1 -GMESH_X=2 -GMESH_Y=2 -GDRAIN=1
  ${rtl_dir}/engine/lac_engine.v)
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/lint.ys CONTENT
"read_verilog -I${contract_dir} ${rtl_all}
hierarchy -check -top lac_engine
proc
check -assert
design -reset
read_verilog -I${contract_dir} ${rtl_all}
hierarchy -check -top lac_engine -chparam LANE 1 -chparam VECTOR 8 -chparam TABLE 1 -chparam SCALE 1
proc
check -assert
design -reset
read_verilog -I${contract_dir} ${rtl_all}
hierarchy -check -top lac_engine -chparam LANE 2 -chparam TABLE 1 -chparam SCALE 2
proc
check -assert
")
lac_rtl_test(lint_yosys yosys ${CMAKE_CURRENT_BINARY_DIR}/lint.ys)
set_tests_properties(lint_yosys PROPERTIES FAIL_REGULAR_EXPRESSION "Warning")
lac_rtl_test(lint_icarus iverilog -g2005 -Wall -t null -I${contract_dir} -s lac_engine ${rtl_sources})
lac_rtl_test(lint_icarus_digit iverilog -g2005 -Wall -t null -I${contract_dir} -s lac_engine -Plac_engine.LANE=1
  -Plac_engine.VECTOR=8 -Plac_engine.TABLE=1 -Plac_engine.SCALE=2 ${rtl_sources})
# Illegal parameters stop elaboration with a sentence.
lac_rtl_test(refuse_drain ${lint_engine} -GDRAIN=3 ${rtl_dir}/engine/lac_engine.v)
set_tests_properties(refuse_drain PROPERTIES PASS_REGULAR_EXPRESSION "DRAIN must divide MESH_X \\* MESH_Y")
lac_rtl_test(refuse_vector ${lint_engine} -GVECTOR=5 ${rtl_dir}/engine/lac_engine.v)
set_tests_properties(refuse_vector PROPERTIES PASS_REGULAR_EXPRESSION "VECTOR must be 0, 4, 8 or 16")
lac_rtl_test(refuse_act_words ${lint_engine} -GACT_WORDS=1 ${rtl_dir}/engine/lac_engine.v)
set_tests_properties(refuse_act_words PROPERTIES PASS_REGULAR_EXPRESSION "ACT_WORDS is outside the limits")
lac_rtl_test(refuse_drain_icarus iverilog -g2005 -t null -I${contract_dir} -s lac_engine -Plac_engine.DRAIN=3
  ${rtl_sources})
set_tests_properties(refuse_drain_icarus PROPERTIES PASS_REGULAR_EXPRESSION "drain_must_divide_the_number_of_lanes")
