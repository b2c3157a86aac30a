# The netlist that Yosys makes of a small engine, against the reference: tests/netlist/run.sh.
get_property(contract_dir GLOBAL PROPERTY LAC_CONTRACT_DIR)
set(netlist_dir ${CMAKE_CURRENT_LIST_DIR}/netlist)
add_executable(netlist_vectors ${netlist_dir}/netlist_vectors.c)
target_compile_options(netlist_vectors PRIVATE ${LAC_WARNINGS})
target_link_libraries(netlist_vectors PRIVATE lac_engine lac_graph_builder)
foreach(family ice40 xc7)
  add_test(NAME netlist_${family} COMMAND ${netlist_dir}/run.sh ${contract_dir} $<TARGET_FILE:netlist_vectors> ${family})
  add_test(NAME netlist_${family}_broken
           COMMAND ${netlist_dir}/run.sh ${contract_dir} $<TARGET_FILE:netlist_vectors> ${family} --broken)
  set_tests_properties(netlist_${family} netlist_${family}_broken PROPERTIES LABELS full TIMEOUT 900)
endforeach()
