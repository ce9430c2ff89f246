#include "reelyard/device/device.hpp"

#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace {

using reelyard::Error;
using reelyard::ErrorKind;
namespace device = reelyard::device;

/// The Error that resolving `text` ends in.
Error error_of(const std::string& text) {
    try {
        (void)device::resolve(text, 0);
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "'" << text << "' was accepted";
    return {ErrorKind::internal, ""};
}

TEST(Device, cpu_is_the_cpu_on_every_rank) {
    EXPECT_EQ(device::resolve("cpu", 0).type(), c10::DeviceType::CPU);
    EXPECT_EQ(device::resolve("cpu", 7).type(), c10::DeviceType::CPU);
}

TEST(Device, auto_takes_the_devices_in_turn_or_the_cpu) {
    const int count = device::cuda_device_count();
    for (int local_rank = 0; local_rank < 5; ++local_rank) {
        const auto chosen = device::resolve("auto", local_rank);
        if (count == 0) {
            EXPECT_TRUE(chosen.is_cpu());
        } else {
            EXPECT_EQ(chosen,
                      c10::Device(c10::DeviceType::CUDA,
                                  static_cast<c10::DeviceIndex>(local_rank % count)));
        }
    }
}

TEST(Device, refuses_a_text_that_names_no_device) {
    for (const std::string text :
         {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU", "cpu:0"}) {
        const Error error = error_of(text);
        EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
        EXPECT_THAT(error.message(),
                    testing::HasSubstr("'" + text + "' (expected cpu, cuda, cuda:N or auto)"));
    }
}

TEST(Device, refuses_a_device_that_is_not_there) {
    const Error error = error_of("cuda:" + std::to_string(device::cuda_device_count()));

    EXPECT_EQ(error.kind(), ErrorKind::resources);
}

TEST(Device, a_tensor_can_live_on_the_device_chosen) {
    const auto chosen = device::resolve("auto", 0);
    device::make_current(chosen);

    const auto sum = at::ones({4, 5}, at::TensorOptions().device(chosen)).sum();
    device::synchronize(chosen);

    EXPECT_EQ(sum.item<float>(), 20.0F);
}

}  // namespace
