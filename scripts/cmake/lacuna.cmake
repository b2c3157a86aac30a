# The house in CMake: every library names its floor, and the configure step stops on a dependency that
# points up or sideways (docs/architecture.md has the table of floors).

set(LAC_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
                 -Wundef -Wvla -Werror)

# Libraries are usually defined bottom-up, but a row may be added in any order: the floors are checked
# when the whole house stands, by lac_check_floors().
set_property(GLOBAL PROPERTY LAC_ROOMS "")

# lac_library(NAME FLOOR n SOURCES a.c ... [DEPS lower_room ...] [LIBS external ...] [GENERATED_DIRS dir ...])
function(lac_library name)
  cmake_parse_arguments(A "" "FLOOR" "SOURCES;DEPS;LIBS;GENERATED_DIRS" ${ARGN})
  if(NOT DEFINED A_FLOOR)
    message(FATAL_ERROR "lac_library(${name}): FLOOR is missing; see docs/architecture.md for the floors")
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${A_GENERATED_DIRS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:${LAC_WARNINGS}>)
  target_link_libraries(${name} PUBLIC ${A_DEPS} ${A_LIBS})
  set_property(GLOBAL APPEND PROPERTY LAC_ROOMS ${name})
  set_property(GLOBAL PROPERTY LAC_FLOOR_${name} ${A_FLOOR})
  set_property(GLOBAL PROPERTY LAC_DEPS_${name} "${A_DEPS}")
endfunction()

function(lac_check_floors)
  get_property(rooms GLOBAL PROPERTY LAC_ROOMS)
  foreach(room IN LISTS rooms)
    get_property(floor GLOBAL PROPERTY LAC_FLOOR_${room})
    get_property(deps GLOBAL PROPERTY LAC_DEPS_${room})
    foreach(dep IN LISTS deps)
      get_property(dep_floor GLOBAL PROPERTY LAC_FLOOR_${dep})
      if("${dep_floor}" STREQUAL "")
        message(FATAL_ERROR "${room} depends on ${dep}, which is not a room of the house; external libraries go under LIBS")
      elseif(NOT dep_floor LESS floor)
        message(FATAL_ERROR "${room} (floor ${floor}) depends on ${dep} (floor ${dep_floor}): "
                            "a room may depend only on lower floors; move the shared part down")
      endif()
    endforeach()
  endforeach()
endfunction()

# lac_test(NAME SOURCE file.c DEPS room ... [LABELS quick|full ...] [TIMEOUT s]): one CMocka program per source.
function(lac_test name)
  cmake_parse_arguments(A "" "SOURCE;TIMEOUT" "DEPS;LABELS;ARGS" ${ARGN})
  if(NOT A_SOURCE)
    set(A_SOURCE ${name}.c)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS quick)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 300)
  endif()
  add_executable(${name} ${A_SOURCE})
  target_compile_options(${name} PRIVATE ${LAC_WARNINGS} -Wno-missing-prototypes)
  target_compile_definitions(${name} PRIVATE LAC_SOURCE_DIR="${CMAKE_SOURCE_DIR}" LAC_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE ${A_DEPS} cmocka)
  add_test(NAME ${name} COMMAND ${name} ${A_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT})
endfunction()
