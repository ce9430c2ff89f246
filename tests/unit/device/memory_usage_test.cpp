#include "reelyard/device/memory_usage.hpp"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/device/device.hpp"

namespace {

using reelyard::mebibyte;
namespace device = reelyard::device;

const c10::Device cpu{c10::DeviceType::CPU};

TEST(MemoryUsage, host_peak_is_that_of_the_operating_system) {
    // Touched, and more than the program has used so far, so that the peak is now.
    const std::vector<char> block(512 * mebibyte, 'x');
    ASSERT_EQ(block[17 * mebibyte], 'x');

    const auto usage = device::peak_memory(cpu);

    rusage reference{};
    ASSERT_EQ(getrusage(RUSAGE_SELF, &reference), 0);
    EXPECT_GE(usage.host_peak_bytes, 512 * mebibyte);
    EXPECT_NEAR(static_cast<double>(usage.host_peak_bytes),
                static_cast<double>(reference.ru_maxrss) * 1024.0,
                static_cast<double>(16 * mebibyte));
}

TEST(MemoryUsage, host_peak_stays_when_memory_is_given_back) {
    { const std::vector<char> block(256 * mebibyte, 'x'); }
    const auto first = device::peak_memory(cpu).host_peak_bytes;

    EXPECT_GE(first, 256 * mebibyte);
    EXPECT_GE(device::peak_memory(cpu).host_peak_bytes, first);
}

TEST(MemoryUsage, device_peak_counts_tensors_on_the_device_only) {
    const auto chosen = device::resolve("auto", 0);
    const auto before = device::peak_memory(chosen).device_peak_bytes;

    at::empty({64 * mebibyte}, at::TensorOptions().device(chosen).dtype(at::kByte));

    const auto added = device::peak_memory(chosen).device_peak_bytes - before;
    EXPECT_EQ(added, chosen.is_cuda() ? 64 * mebibyte : 0);
    EXPECT_EQ(device::peak_memory(cpu).device_peak_bytes, 0);
}

}  // namespace
