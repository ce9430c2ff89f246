# cmake --install: the program (component `program`), and the modules with their headers and a package for find_package(reelyard)
# (component `library`), and the documents (component `documents`).
include(CMakePackageConfigHelpers)

# The program finds LibTorch and the other libraries where they were when it was linked.
# LibTorch is named by itself: CMake leaves out link paths inside the build tree, where the private environment lies.
set_target_properties(reelyard PROPERTIES
    INSTALL_RPATH_USE_LINK_PATH ON INSTALL_RPATH "${REELYARD_TORCH_ROOT}/lib")
install(TARGETS reelyard RUNTIME COMPONENT program)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/reelyard)

configure_package_config_file(cmake/reelyard-config.cmake.in ${PROJECT_BINARY_DIR}/reelyard-config.cmake
    INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/reelyard-config-version.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT reelyard NAMESPACE reelyard:: FILE reelyard-targets.cmake DESTINATION ${package_folder} COMPONENT library)
install(FILES
    ${PROJECT_BINARY_DIR}/reelyard-config.cmake ${PROJECT_BINARY_DIR}/reelyard-config-version.cmake
    cmake/dependencies.cmake cmake/cuda.cmake cmake/FindReelyardTorch.cmake
    DESTINATION ${package_folder} COMPONENT library)

install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)
