#include "reelyard/device/device.hpp"

#include <charconv>
#include <optional>

#include "reelyard/base/error.hpp"

#include "backend.hpp"

namespace reelyard::device {

namespace {

std::optional<int> parse_index(std::string_view text) {
    int index = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (code != std::errc() || end != text.data() + text.size() || index < 0) {
        return std::nullopt;
    }
    return index;
}

c10::Device cuda_device(int index) {
    return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace

int cuda_device_count() {
    return backend::device_count();
}

c10::Device resolve(std::string_view text, int local_rank) {
    constexpr std::string_view with_index = "cuda:";
    const bool is_indexed = text.starts_with(with_index);
    const auto index = is_indexed ? parse_index(text.substr(with_index.size())) : std::nullopt;
    require(text == "cpu" || text == "cuda" || text == "auto" || index.has_value(),
            ErrorKind::usage,
            "device: '{}' (expected cpu, cuda, cuda:N or auto)",
            text);
    if (text == "cpu") {
        return {c10::DeviceType::CPU};
    }

    const int count = backend::device_count();
    if (text == "auto" && count == 0) {
        return {c10::DeviceType::CPU};
    }
    const bool is_built = !backend::cuda_version().built.empty();
    require(is_built,
            ErrorKind::resources,
            "device: '{}', but this program is built without CUDA (expected cpu)",
            text);
    const int wanted = index.value_or(0);
    require(wanted < count,
            ErrorKind::resources,
            "device: '{}', but this process sees {} CUDA devices (expected more than {})",
            text,
            count,
            wanted);
    return cuda_device(index.value_or(local_rank % count));
}

void make_current(c10::Device device) {
    if (device.is_cuda()) {
        backend::set_device(device.index());
    }
}

std::string identity(c10::Device device) {
    return device.is_cuda() ? backend::identity(device.index()) : "cpu";
}

void synchronize(c10::Device device) {
    if (device.is_cuda()) {
        backend::synchronize(device.index());
    }
}

}  // namespace reelyard::device
