# reeve_library(NAME SOURCES… [PUBLIC targets…] [PRIVATE targets…]): one static library of the product.
function(reeve_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# reeve_test(NAME SOURCES… LINK targets… [TIMEOUT s] [SERIAL]): a GoogleTest program, each case a test of ctest's.
# Every case has a deadline, so that a hang is a failure and not a stuck CI. SERIAL: it needs the machine for itself.
# Those of tests/unit carry the label "unit", which ./dev asan runs.
function(reeve_test name)
    cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;LINK" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 60)
    endif()
    set(properties TIMEOUT ${ARG_TIMEOUT} SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
    if(ARG_SERIAL)
        list(APPEND properties RUN_SERIAL ON)
    endif()
    if(CMAKE_CURRENT_SOURCE_DIR MATCHES "/tests/unit(/|$)")
        list(APPEND properties LABELS unit)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

# reeve_script_test(NAME COMMAND… [TIMEOUT s] [SERIAL]): a script that is a test. Exit code 77 means skipped, and it says
# why in the last line of its output.
function(reeve_script_test name)
    cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "COMMAND;ENVIRONMENT;LABELS" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    add_test(NAME ${name} COMMAND ${ARG_COMMAND})
    _reeve_describe(${name})
endfunction()

# reeve_soak(NAME COMMAND… [TIMEOUT s]): like the above, for what takes longer than a minute. Only ./dev soak runs it; a
# short slice of the same belongs into a test.
function(reeve_soak name)
    cmake_parse_arguments(ARG "" "TIMEOUT" "COMMAND;ENVIRONMENT;LABELS" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 3600)
    endif()
    set(ARG_SERIAL ON)
    set(name soak.${name})
    add_test(NAME ${name} COMMAND ${ARG_COMMAND} CONFIGURATIONS soak)
    _reeve_describe(${name})
endfunction()

# The properties that scripts and soaks share; reads its caller's ARG_ variables.
macro(_reeve_describe name)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${ARG_LABELS}"
                         RUN_SERIAL "${ARG_SERIAL}"
                         ENVIRONMENT "REEVE_BUILD=${CMAKE_BINARY_DIR};REEVE_SOURCE=${CMAKE_SOURCE_DIR};${ARG_ENVIRONMENT}")
endmacro()

# reeve_static(TARGET): links a program statically, and still position-independent. CMake's own `-pie`, which comes behind
# the options and undoes them, is kept away. Not under sanitizers, which are shared libraries.
function(reeve_static target)
    if(NOT REEVE_SANITIZE)
        set_property(TARGET ${target} PROPERTY POSITION_INDEPENDENT_CODE) # unset
        target_compile_options(${target} PRIVATE -fPIE)
        target_link_options(${target} PRIVATE -static-pie)
    endif()
endfunction()
