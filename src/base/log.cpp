#include "diffuse/base/log.hpp"
