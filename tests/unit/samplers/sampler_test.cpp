// What every sampler of the registry must do, and the published tables of noise levels.

#include "reelyard/samplers/sampler.hpp"

#include <numeric>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/samplers/initial_noise.hpp"

namespace reelyard::samplers {
namespace {

struct Combination {
    std::string sampler;
    std::string sigma_schedule;
    std::int64_t steps;
    double flow_shift;
};

void PrintTo(const Combination& one, std::ostream* out) {
    *out << fmt::format(
        "{} {} {} steps, shift {}", one.sampler, one.sigma_schedule, one.steps, one.flow_shift);
}

std::vector<Combination> combinations() {
    std::vector<Combination> all;
    for (const std::string& sampler : sampler_names()) {
        for (const std::string& schedule : sigma_schedule_names()) {
            for (const std::int64_t steps : {1, 2, 3, 4, 7, 50, 200, 1000}) {
                for (const double shift : {0.5, 1.0, 3.0, 5.0, 16.0}) {
                    all.push_back({sampler, schedule, steps, shift});
                }
            }
        }
    }
    return all;
}

std::unique_ptr<Sampler> make(const Combination& one) {
    return make_sampler(
        one.sampler,
        {.steps = one.steps, .flow_shift = one.flow_shift, .sigma_schedule = one.sigma_schedule});
}

class EverySampler : public testing::TestWithParam<Combination> {};

TEST_P(EverySampler, has_levels_that_fall_to_zero) {
    const auto sampler = make(GetParam());
    const Schedule& schedule = sampler->schedule();

    ASSERT_EQ(std::ssize(schedule.sigmas), GetParam().steps + 1);
    ASSERT_EQ(std::ssize(schedule.timesteps), GetParam().steps);
    EXPECT_LE(schedule.sigmas.front(), 1.0F);
    EXPECT_EQ(schedule.sigmas.back(), 0.0F);
    for (std::size_t k = 0; k + 1 < schedule.sigmas.size(); ++k) {
        EXPECT_GT(schedule.sigmas[k], schedule.sigmas[k + 1]) << "at " << k;
        EXPECT_GE(schedule.timesteps[k], 0.0F);
        EXPECT_LE(schedule.timesteps[k], 1000.0F);
        EXPECT_NEAR(schedule.timesteps[k], 1000.0F * schedule.sigmas[k], 1.001F) << "at " << k;
    }
}

/// On a straight line from noise to the clean sample every consistent solver arrives exactly.
TEST_P(EverySampler, is_exact_on_a_linear_flow) {
    const auto sampler = make(GetParam());
    const at::Tensor clean = initial_noise({2, 3, 5}, 1);
    const at::Tensor noise = initial_noise({2, 3, 5}, 2);
    const auto start = sampler->schedule().sigmas.front();
    at::Tensor sample = clean * (1.0F - start) + noise * start;

    for (std::int64_t k = 0; k < GetParam().steps; ++k) {
        sample = sampler->step(k, noise - clean, sample);
    }

    EXPECT_LE((sample - clean).abs().max().item<float>(), 2e-4F);
}

TEST_P(EverySampler, gives_the_same_bits_again) {
    const auto run = [] {
        const auto sampler = make(GetParam());
        at::Tensor sample = initial_noise({2, 7}, 3);
        for (std::int64_t k = 0; k < GetParam().steps; ++k) {
            sample = sampler->step(k, sample.sin(), sample);
        }
        return sample;
    };

    const at::Tensor once = run();

    EXPECT_TRUE(at::isfinite(once).all().item<bool>());
    EXPECT_TRUE(at::equal(once, run()));
}

INSTANTIATE_TEST_SUITE_P(Registry, EverySampler, testing::ValuesIn(combinations()));

std::vector<float> counted(std::initializer_list<int> times) {
    return {times.begin(), times.end()};
}

/// Times of the original program's UniPC for 50 and 40 steps.
TEST(OfficialTable, has_the_times_of_the_original_program) {
    const auto times = [](std::int64_t steps, double shift) {
        return make_sampler("unipc", {.steps = steps, .flow_shift = shift})->schedule().timesteps;
    };

    EXPECT_EQ(times(50, 5.0),
              counted({999, 995, 991, 987, 982, 978, 973, 968, 963, 957, 952, 946, 940,
                       934, 927, 920, 913, 906, 898, 890, 882, 873, 863, 854, 843, 833,
                       821, 809, 796, 783, 768, 753, 737, 720, 701, 681, 660, 636, 611,
                       584, 555, 522, 487, 448, 405, 356, 302, 241, 172, 92}));
    EXPECT_EQ(times(40, 3.0),
              counted({999, 991, 982, 973, 963, 954, 944, 933, 922, 911, 899, 887, 874, 861,
                       847, 832, 817, 801, 785, 767, 749, 730, 710, 688, 666, 642, 617, 590,
                       562, 531, 499, 465, 428, 388, 345, 299, 249, 195, 136, 71}));
    EXPECT_EQ(times(50, 16.0),
              counted({999, 998, 997, 995, 994, 993, 991, 989, 988, 986, 984, 982, 980,
                       978, 976, 973, 971, 968, 965, 963, 959, 956, 953, 949, 945, 941,
                       936, 931, 926, 920, 914, 907, 899, 891, 882, 872, 861, 848, 834,
                       818, 799, 778, 752, 722, 685, 639, 581, 504, 399, 245}));
    EXPECT_EQ(times(50, 8.0),
              counted({999, 997, 994, 991, 989, 986, 983, 979, 976, 973, 969, 965, 961,
                       957, 953, 948, 944, 939, 934, 928, 922, 916, 910, 903, 896, 888,
                       880, 871, 862, 852, 841, 830, 817, 804, 789, 773, 756, 737, 716,
                       692, 666, 636, 603, 565, 521, 470, 409, 337, 249, 140}));
}

TEST(OfficialTable, has_the_levels_of_the_original_program) {
    const auto expect_levels = [](std::int64_t steps,
                                  double shift,
                                  const std::vector<std::pair<std::size_t, float>>& levels) {
        const auto sampler = make_sampler("unipc", {.steps = steps, .flow_shift = shift});
        for (const auto& [k, level] : levels) {
            EXPECT_NEAR(sampler->schedule().sigmas.at(k), level, 6e-8F) << steps << " at " << k;
        }
    };

    expect_levels(50,
                  5.0,
                  {{0, 0.9997998F},
                   {1, 0.9957324F},
                   {2, 0.9915305F},
                   {3, 0.9871874F},
                   {4, 0.9826958F},
                   {5, 0.9780480F},
                   {25, 0.8330554F},
                   {30, 0.7689347F},
                   {40, 0.5552468F},
                   {46, 0.3028007F},
                   {47, 0.2417403F},
                   {48, 0.1722651F},
                   {49, 0.0925069F},
                   {50, 0.0F}});
    expect_levels(40,
                  3.0,
                  {{0, 0.9996665F},
                   {1, 0.9911891F},
                   {2, 0.9824195F},
                   {3, 0.9733424F},
                   {20, 0.7496248F},
                   {30, 0.4996666F},
                   {37, 0.1954820F},
                   {38, 0.1362397F},
                   {39, 0.0713605F}});
    expect_levels(50, 16.0, {{0, 0.9999374F}, {1, 0.9986625F}, {48, 0.3997499F}, {49, 0.2459645F}});
    expect_levels(50, 8.0, {{0, 0.9998749F}, {49, 0.1402277F}});
}

TEST(MakeSampler, lists_what_it_knows_when_a_name_is_wrong) {
    const auto message = [](std::string_view name, const ScheduleOptions& options) {
        try {
            (void)make_sampler(name, options);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            return error.message();
        }
        return std::string("nothing thrown");
    };

    EXPECT_EQ(message("ddim", {}), "sampler: found 'ddim' (expected one of unipc, dpmpp, euler)");
    EXPECT_EQ(message("unipc", {.sigma_schedule = "simple"}),
              "sigma_schedule: found 'simple' (expected one of official, diffusers, karras)");
    EXPECT_EQ(message("unipc", {.steps = 0}), "steps: found 0 (expected 1 to 1000)");
    EXPECT_EQ(message("euler", {.steps = 1001}), "steps: found 1001 (expected 1 to 1000)");
    EXPECT_EQ(message("euler", {.flow_shift = -1.0}),
              "flow_shift: found -1 (expected a positive number)");
    EXPECT_THAT(message("unipc", {.flow_shift = 1e9}), testing::HasSubstr("flow_shift"));
}

}  // namespace
}  // namespace reelyard::samplers
