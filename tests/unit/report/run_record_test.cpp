#include "reelyard/report/run_record.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::report {
namespace {

TEST(RunRecord, is_read_as_it_was_written) {
    const test::TemporaryFolder folder;
    const auto file = folder.path() / run_record_name;

    write_run_record(file,
                     {.ranks = 8,
                      .nodes = 4,
                      .layout = {.replicas = 2, .ring = 4, .shard_weights = true},
                      .device = "cpu",
                      .steps = 40,
                      .denoise_seconds = 10.0,
                      .bytes_used = 1LL << 40});
    const RunRecord found = read_run_record(file);

    EXPECT_EQ(found.ranks, 8);
    EXPECT_EQ(found.nodes, 4);
    EXPECT_EQ(to_string(found.layout), "2 replicas of ring 4, weights sharded");
    EXPECT_EQ(found.bytes_used, 1LL << 40);
    EXPECT_DOUBLE_EQ(found.step_seconds(), 0.25);
}

TEST(RunRecord, one_that_lacks_a_key_is_refused_by_file_and_key) {
    const test::TemporaryFolder folder;
    const auto file = folder.path() / run_record_name;
    std::ofstream(file) << R"({"ranks": 2})";
    try {
        (void)read_run_record(file);
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(),
                    testing::AllOf(testing::HasSubstr(file.string()), testing::HasSubstr("nodes")));
    }
}

}  // namespace
}  // namespace reelyard::report
