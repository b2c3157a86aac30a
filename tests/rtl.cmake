# The contract, the simulator and the engine. Models of the engine are built in, and kept by, the build tree.
if(NOT LAC_TESTS_DIR)
  set(LAC_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})
endif()
set(rtl_model_cache ${CMAKE_BINARY_DIR}/model-cache)

add_executable(test_engine ${LAC_TESTS_DIR}/cosim/test_engine.c ${LAC_TESTS_DIR}/cosim/cosim_net.c
               ${LAC_TESTS_DIR}/cosim/cosim_encode.c)
target_compile_options(test_engine PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
target_link_libraries(test_engine PRIVATE lac_sim lac_num cmocka)

# lac_cosim(mesh_x mesh_y drain acc_bits act_words list_words)
function(lac_cosim mesh_x mesh_y drain)
  set(name cosim_${mesh_x}x${mesh_y}_drain${drain})
  add_test(NAME ${name} COMMAND test_engine ${ARGV})
  set_tests_properties(${name} PROPERTIES LABELS full TIMEOUT 300 ENVIRONMENT "LACUNA_CACHE=${rtl_model_cache}")
endfunction()
lac_cosim(1 1 1 24 1024 200)
lac_cosim(2 2 1 24 1024 64)   # the ring is full most of the time
lac_cosim(3 2 2 22 1024 333)  # groups straddle rows; sizes that are no powers of two
lac_cosim(4 2 8 32 1000 256)  # the whole mesh is drained in one cycle
lac_cosim(7 7 7 24 4096 2048) # the default
