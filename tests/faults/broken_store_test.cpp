#include <set>

#include <unistd.h>

#include "fault_test.hpp"

// Weight stores that are not as they were made.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class BrokenStore : public FaultTest {
protected:
    void expect_refused(const Outcome& outcome, const std::string& reason) const {
        EXPECT_EQ(outcome.exit_code, 3) << outcome.output;
        EXPECT_EQ(count_errors(outcome), 1) << outcome.output;
        EXPECT_THAT(outcome.output, HasSubstr(store().string()));
        EXPECT_THAT(outcome.output, HasSubstr(reason));
        EXPECT_THAT(videos(), IsEmpty());
    }
};

TEST_F(BrokenStore, cut_anywhere_is_refused_at_once) {
    const auto whole = static_cast<std::int64_t>(fs::file_size(store()));
    std::set<std::int64_t> cuts{
        0, 100, index_offset(), tensor_of("transformer").middle(), whole - 1};
    // From the end to the beginning, as a file can only be made shorter.
    for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {
        SCOPED_TRACE(*cut);
        fs::resize_file(store(), static_cast<std::uintmax_t>(*cut));

        expect_refused(run({.ranks = *cut == 0 ? 2 : 1}), "");
    }
}

TEST_F(BrokenStore, flipped_bit_of_a_weight_is_caught_however_it_is_read) {
    const PlacedTensor tensor = tensor_of("text_encoder");
    flip_byte(tensor.middle());
    for (const std::string& transport : transports) {
        for (const int ranks : {1, 2, 4}) {
            // The text encoder is stored in float32: converted on the way, and not.
            for (const std::string dtype : {"bfloat16", "float32"}) {
                SCOPED_TRACE(transport + ", " + dtype + ", ranks: " + std::to_string(ranks));

                const Outcome refused =
                    run({.ranks = ranks,
                         .options = {"--load.transport=" + transport, "--model.dtype=" + dtype}});

                expect_refused(refused, tensor.name);
            }
        }
    }
}

TEST_F(BrokenStore, flipped_bit_goes_through_when_nobody_is_to_look) {
    flip_byte(tensor_of("text_encoder").middle());
    for (const std::string& transport : transports) {
        for (const int ranks : {1, 2, 4}) {
            SCOPED_TRACE(transport + ", ranks: " + std::to_string(ranks));

            const Outcome made =
                run({.ranks = ranks,
                     .options = {"--load.transport=" + transport, "--load.verify=false"}});

            EXPECT_EQ(made.exit_code, 0) << made.output;
            EXPECT_THAT(videos(), SizeIs(1));
        }
    }
}

TEST_F(BrokenStore, flipped_bit_of_the_index_is_caught_even_when_nobody_is_to_look) {
    flip_byte(index_offset());

    expect_refused(run({.ranks = 2, .options = {"--load.verify=false"}}), "the index has checksum");
}

TEST_F(BrokenStore, missing_one_is_refused) {
    fs::remove(store());

    expect_refused(run({.ranks = 2}), "cannot be opened");
}

TEST_F(BrokenStore, folder_in_its_place_is_refused) {
    fs::remove(store());
    fs::create_directory(store());

    expect_refused(run({}), "cannot be opened");
}

TEST_F(BrokenStore, one_that_may_not_be_read_is_refused) {
    if (::geteuid() == 0) {
        GTEST_SKIP() << "root may read everything";
    }
    fs::permissions(store(), fs::perms::none);

    expect_refused(run({}), "Permission denied");
}

}  // namespace
}  // namespace reelyard::cli
