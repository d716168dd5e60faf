# Configs and the small data they name, copied to share/diffuse of the build folder: it works when
# moved away. In its place the project's own files are found first (src/config/find.cpp).
file(GLOB_RECURSE shipped CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
  "${PROJECT_SOURCE_DIR}/configs/*" "${PROJECT_SOURCE_DIR}/data/r8/*"
  "${PROJECT_SOURCE_DIR}/data/bert-base-uncased/*")
foreach(file ${shipped})
  configure_file("${PROJECT_SOURCE_DIR}/${file}" "${PROJECT_BINARY_DIR}/share/diffuse/${file}" COPYONLY)
endforeach()
