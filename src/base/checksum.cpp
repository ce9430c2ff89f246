#include "reelyard/base/checksum.hpp"

#include <array>
#include <fstream>
#include <vector>

#include <xxhash.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard {

struct Checksum::State {
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
    XXH3_64bits_reset(state_->xxh.get());
}
Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&& other) noexcept = default;
Checksum& Checksum::operator=(Checksum&& other) noexcept = default;

void Checksum::update(std::span<const std::byte> data) {
    XXH3_64bits_update(state_->xxh.get(), data.data(), data.size());
}

std::uint64_t Checksum::digest() const {
    return XXH3_64bits_digest(state_->xxh.get());
}

std::uint64_t checksum(std::span<const std::byte> data) {
    return XXH3_64bits(data.data(), data.size());
}

std::string file_checksum(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    require(
        stream.good(), ErrorKind::storage, "{}: cannot be opened for its checksum", path.string());
    Checksum sum;
    std::vector<char> buffer(static_cast<std::size_t>(mebibyte));
    while (stream.read(buffer.data(), mebibyte) || stream.gcount() > 0) {
        sum.update(
            std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(stream.gcount()))));
    }
    require(!stream.bad(), ErrorKind::storage, "{}: reading failed", path.string());
    return to_hex(sum.digest());
}

std::string to_hex(std::uint64_t value) {
    return fmt::format("{:016x}", value);
}

std::string content_hash(std::string_view text) {
    const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace reelyard
