#include "config/find.hpp"

#include <gmock/gmock.h>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A moved build folder: <dir>/build/bin/diffuse with <dir>/configs.
class FindConfig : public ::testing::Test {
 protected:
  FindConfig() : unset_("DIFFUSE_CONFIGS", nullptr) {
    dir_.write("configs/agnews.json", "{}");
    dir_.write("configs/r8.json", "{}");
    dir_.write("configs/notes.txt", "");
    fs::create_directories(program_folder());
  }
  fs::path program_folder() const { return dir_.path() / "build/release/bin"; }
  fs::path find(const std::string& name) const {
    return find_config_in(name, config_folders(program_folder()));
  }

  TempDir dir_;
  ScopedVariable unset_;
};

TEST_F(FindConfig, APathThatExistsIsTaken) {
  const fs::path file = dir_.write("mine.json", "{}");
  EXPECT_EQ(find(file), file);
  EXPECT_EQ(find(dir_.path() / "mine"), file);
}

TEST_F(FindConfig, OtherNamesAreLookedUpAboveTheProgram) {
  EXPECT_EQ(find("agnews.json"), dir_.path() / "configs/agnews.json");
  EXPECT_EQ(find("r8"), dir_.path() / "configs/r8.json");
}

TEST_F(FindConfig, TheNearestFolderWins) {
  const fs::path file = dir_.write("build/release/configs/agnews.json", "{}");
  EXPECT_EQ(find("agnews.json"), file);
}

TEST_F(FindConfig, AnInstallationHasThemUnderShare) {
  const TempDir prefix;  // of its own: nothing named configs/ stands above it
  const fs::path file = prefix.write("share/diffuse/configs/agnews.json", "{}");
  EXPECT_EQ(find_config_in("agnews.json", config_folders(prefix.path() / "bin")), file);
}

TEST_F(FindConfig, TheProjectsFileComesBeforeTheBuildFoldersCopy) {
  const fs::path file = dir_.write("configs/agnews.json", "{}");
  const fs::path copy = dir_.write("build/release/share/diffuse/configs/agnews.json", "{}");
  const fs::path program = dir_.path() / "build/release/libexec";
  EXPECT_EQ(find_config_in("agnews.json", config_folders(program)), file);
  fs::remove(file);
  EXPECT_EQ(find_config_in("agnews.json", config_folders(program)), copy);
}

TEST_F(FindConfig, TheEnvironmentNamesTheFolder) {
  const fs::path file = dir_.write("elsewhere/agnews.json", "{}");
  const std::string folder = file.parent_path();
  const ScopedVariable set("DIFFUSE_CONFIGS", folder.c_str());
  EXPECT_EQ(find("agnews.json"), file);
  EXPECT_THROW(find("r8.json"), ConfigError);
}

TEST_F(FindConfig, AnUnknownNameListsThePlacesAndTheNearest) {
  const std::string text = config_error([&] { find("agnew.json"); });
  EXPECT_THAT(text, HasSubstr("agnew.json: there is no such config file; looked in "));
  EXPECT_THAT(text, HasSubstr(fs::current_path().string()));
  EXPECT_THAT(text, HasSubstr((dir_.path() / "configs").string()));
  EXPECT_THAT(text, HasSubstr("; did you mean \"agnews.json\"?"));
  EXPECT_THAT(config_error([&] { find("qqqqqqqqqqqq"); }),
              HasSubstr("; shipped are agnews.json, r8.json"));
}

TEST_F(FindConfig, WithoutAnyShippedConfigTheVariableIsNamed) {
  EXPECT_THAT(config_error([] { find_config_in("x", {}); }),
              HasSubstr("; DIFFUSE_CONFIGS can name the folder of the shipped configs"));
}

TEST_F(FindConfig, AFolderIsNoConfig) {
  const auto error = [&] { return config_error([&] { find(dir_.path()); }); };
  EXPECT_EQ(error(), dir_.path().string() + " is a folder; expected a config file.");
  const fs::path inside = dir_.write("config.json", "{}");
  EXPECT_EQ(error(), dir_.path().string() + " is a folder; expected a config file, such as " +
                         inside.string() + " in it.");
  EXPECT_THROW(find(""), ConfigError);
}

TEST_F(FindConfig, TheProgramItselfFindsWhatTheEnvironmentNames) {
  const std::string folder = dir_.path() / "configs";
  const ScopedVariable set("DIFFUSE_CONFIGS", folder.c_str());
  EXPECT_EQ(find_config("r8"), dir_.path() / "configs/r8.json");
}

}  // namespace
}  // namespace diffuse::testing
