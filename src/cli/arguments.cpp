#include "arguments.hpp"

#include <boost/program_options.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {

namespace po = boost::program_options;

po::variables_map read_arguments(const std::string& command,
                                 const po::options_description& known,
                                 const std::string& positional,
                                 const std::vector<std::string>& arguments) {
    po::positional_options_description position;
    if (!positional.empty()) {
        position.add(positional.c_str(), 1);
    }
    po::variables_map values;
    try {
        po::store(po::command_line_parser(arguments).options(known).positional(position).run(),
                  values);
        po::notify(values);
    } catch (const po::error& error) {
        fail(ErrorKind::usage, "{}: {}; see reelyard {} --help", command, error.what(), command);
    }
    return values;
}

}  // namespace reelyard::cli
