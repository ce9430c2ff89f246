#pragma once

#include <string>
#include <vector>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

namespace reelyard::cli {

/// Reads the arguments of a command into what `known` names.
/// \param command as the user writes it, "bench load"
/// \param positional the option that words without a name belong to; empty: there are none
/// \throws Error (usage) that points to the command's help
boost::program_options::variables_map read_arguments(
    const std::string& command,
    const boost::program_options::options_description& known,
    const std::string& positional,
    const std::vector<std::string>& arguments);

}  // namespace reelyard::cli
