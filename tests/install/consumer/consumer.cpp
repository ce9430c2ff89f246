#include <iostream>

#include "reelyard/base/bytes.hpp"
#include "reelyard/device/version.hpp"

int main() {
    std::cout << reelyard::format_bytes(2048) << '\n';
    std::cout << reelyard::device::library_versions().front().name << '\n';
}
