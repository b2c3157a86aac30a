# Speed of training and search of recipes, run by hand: no tests, because machines differ.
foreach(bench train_speed train_recipe)
  add_executable(${bench} EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/${bench}.c)
  target_link_libraries(${bench} PRIVATE lac_train)
endforeach()
