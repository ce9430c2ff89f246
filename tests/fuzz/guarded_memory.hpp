#pragma once

#include <cstring>
#include <string_view>

#include <sys/mman.h>

#include "fuzz_target.hpp"

namespace reelyard::fuzz {

/// Holds texts so that the byte behind the last one cannot be read.
class GuardedMemory {
public:
    explicit GuardedMemory(std::size_t capacity) : bytes_((capacity / page + 1) * page) {
        void* memory = mmap(
            nullptr, bytes_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        expect(memory != MAP_FAILED, "mmap failed");
        begin_ = static_cast<char*>(memory);
        expect(mprotect(begin_ + bytes_, page, PROT_NONE) == 0, "mprotect failed");
    }
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;
    ~GuardedMemory() { munmap(begin_, bytes_ + page); }

    /// The text in this memory, until the next one.
    [[nodiscard]] std::string_view hold(std::string_view text) {
        expect(text.size() <= bytes_, "the input is longer than the memory for it");
        char* at = begin_ + bytes_ - text.size();
        std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }

private:
    static constexpr std::size_t page = 4096;

    std::size_t bytes_;
    char* begin_ = nullptr;
};

}  // namespace reelyard::fuzz
