#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>
