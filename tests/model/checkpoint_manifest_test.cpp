#include "diffuse/model/checkpoint_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "checkpoint_fixture.hpp"
#include "diffuse/base/build_info.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::checkpoint_error;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

/// A whole training checkpoint, with its manifest.
class CheckpointManifest : public testing::CheckpointFixture {
 protected:
  CheckpointManifest() {
    put("state.json", "{}");
    put("optimizer.safetensors", "moments");
    write_checkpoint_manifest(folder());
  }

  void put(const std::string& name, const std::string& content) const {
    std::ofstream(folder() / name, std::ios::binary) << content;
  }
  std::string load_error() const {
    return checkpoint_error([&] { load_model(folder()); });
  }
  std::string training_error() const {
    return checkpoint_error([&] { check_checkpoint(folder(), CheckpointUse::training); });
  }
  nlohmann::json manifest() const {
    return nlohmann::json::parse(read_file(folder() / "manifest.json"));
  }
  /// The message where the manifest's `pointer` is `value`.
  std::string changed(const char* pointer, const nlohmann::json& value) const {
    const std::string before = read_file(folder() / "manifest.json");
    nlohmann::json json = manifest();
    json[nlohmann::json::json_pointer(pointer)] = value;
    put("manifest.json", json.dump());
    const std::string message = load_error();
    put("manifest.json", before);
    return message;
  }
};

TEST_F(CheckpointManifest, NamesTheProgramAndEveryFile) {
  const nlohmann::json json = manifest();
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["diffuse"]["version"], build_info().version);
  EXPECT_EQ(json["diffuse"]["commit"], build_info().commit);
  EXPECT_THAT(json["id"].get<std::string>(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(json["xxh3_128"].size(), 6U);
  for (const char* name : {"config.json", "labels.txt", "model.safetensors",
                           "optimizer.safetensors", "state.json", "vocab.txt"})
    EXPECT_THAT(json["xxh3_128"][name].get<std::string>(), MatchesRegex("[0-9a-f]{32}")) << name;
}

TEST_F(CheckpointManifest, GivesEqualFilesOneIdAndOthersAnother) {
  const CheckpointOrigin origin = check_checkpoint(folder(), CheckpointUse::training);
  EXPECT_EQ(origin.id, manifest()["id"]);
  EXPECT_EQ(origin.advice(), "") << "this build wrote it";
  write_checkpoint_manifest(folder());
  EXPECT_EQ(manifest()["id"], origin.id);
  put("labels.txt", "cat\ndog\n");
  write_checkpoint_manifest(folder());
  EXPECT_NE(manifest()["id"], origin.id);
}

TEST_F(CheckpointManifest, FindsAFlippedBitInAnyFile) {
  for (const char* name : {"config.json", "labels.txt", "model.safetensors", "vocab.txt"}) {
    const std::string whole = read_file(folder() / name);
    for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      put(name, flipped);
      EXPECT_THAT(load_error(),
                  AllOf(HasSubstr("Checkpoint '" + folder().string() + "': not as training wrote "),
                        HasSubstr(std::string("by its checksum: ") + name + ". "),
                        HasSubstr("Copy the whole folder again, or take another one; where the "
                                  "change is meant, delete manifest.json")));
    }
    put(name, whole);
  }
  EXPECT_NO_THROW(load_model(folder()));
}

TEST_F(CheckpointManifest, FindsReorderedLabelsAndTheVocabularyOfAnotherCheckpoint) {
  put("labels.txt", "cat\ndog\n");
  put("vocab.txt", "[PAD]\n[UNK]\n[MASK]\nthe\ndog\nsat\non\na\nmat\n.\n");
  EXPECT_THAT(load_error(), HasSubstr("by its checksum: labels.txt, vocab.txt. "));
  fs::remove(folder() / "manifest.json");
  EXPECT_NO_THROW(load_model(folder())) << "nothing else would have told";
}

TEST_F(CheckpointManifest, LetsAModelGoWithoutTheTrainingHalf) {
  put("optimizer.safetensors", "other");
  EXPECT_THAT(training_error(), HasSubstr("by its checksum: optimizer.safetensors. "));
  fs::remove(folder() / "optimizer.safetensors");
  fs::remove(folder() / "state.json");
  EXPECT_THAT(training_error(),
              HasSubstr("lacks optimizer.safetensors, state.json. Copy the whole"));
  EXPECT_NO_THROW(load_model(folder()));
}

TEST_F(CheckpointManifest, ListsWhatElseWasWritten) {
  put("data.json", "{}");
  write_checkpoint_manifest(folder());
  fs::remove(folder() / "data.json");
  EXPECT_THAT(load_error(), HasSubstr("lacks data.json. Copy the whole folder again"));
}

TEST_F(CheckpointManifest, LetsTheTrainingTextsBeDeletedButNotChanged) {
  put("texts.bin", "12345678");
  write_checkpoint_manifest(folder());
  put("texts.bin", "12345679");
  EXPECT_THAT(load_error(), HasSubstr("by its checksum: texts.bin. "));
  fs::remove(folder() / "texts.bin");
  EXPECT_NO_THROW(load_model(folder()));
  EXPECT_NO_THROW(check_checkpoint(folder(), CheckpointUse::training));
}

TEST_F(CheckpointManifest, MayBeMissingInAnOldCheckpoint) {
  fs::remove(folder() / "manifest.json");
  const CheckpointOrigin origin = check_checkpoint(folder(), CheckpointUse::training);
  EXPECT_EQ(origin.id, "");
  EXPECT_EQ(origin.advice(), "");
  EXPECT_NO_THROW(load_model(folder()));
}

TEST_F(CheckpointManifest, OfANewerFormatSaysWhichProgramToTake) {
  nlohmann::json json = manifest();
  json["format"] = 2;
  json["diffuse"] = {{"version", "9.8.7"}, {"commit", "abc"}};
  put("manifest.json", json.dump());
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("is in format 2, of which this program knows up to 1. It was written "
                              "by diffuse 9.8.7 (abc); this is diffuse " +
                              build_info().version),
                    HasSubstr("which is older: install 9.8.7 or newer.")));
}

TEST_F(CheckpointManifest, OfAnotherProgramExplainsAKeyThatIsUnknownHere) {
  const std::string unknown = R"({"model": {"attention_heads": 3}})";
  put("config.json", unknown);
  write_checkpoint_manifest(folder());
  EXPECT_THAT(load_error(),
              AllOf(HasSubstr("model.attention_heads: unknown key"), Not(HasSubstr("written by"))));
  const auto of_program = [&](const std::string& version) {
    nlohmann::json json = manifest();
    json["diffuse"] = {{"version", version}, {"commit", "abc"}};
    put("manifest.json", json.dump());
    return load_error();
  };
  const auto says = [](const std::string& version, const std::string& what) {
    return AllOf(HasSubstr("model.attention_heads: unknown key"),
                 HasSubstr("It was written by diffuse " + version + " (abc); this is diffuse "),
                 HasSubstr(what));
  };
  EXPECT_THAT(of_program("10.8.7"), says("10.8.7", "which is older: install 10.8.7 or newer."));
  EXPECT_THAT(of_program("0.0.9"), says("0.0.9", "which is newer: take that one, or train anew."));
  EXPECT_THAT(of_program(build_info().version),
              says(build_info().version, "another build: take that one."));
}

TEST_F(CheckpointManifest, ThatIsDamagedItselfIsRefused) {
  const auto says = [](const std::string& what) {
    return AllOf(HasSubstr("is damaged. manifest.json: " + what),
                 HasSubstr("Copy the whole folder again."));
  };
  EXPECT_THAT(changed("/format", "one"), says("\"format\" is \"one\""));
  EXPECT_THAT(changed("/id", "0"), says("the id is not that of its checksums"));
  EXPECT_THAT(changed("/xxh3_128/vocab.txt", "0"), says("the id is not that of its checksums"));
  EXPECT_THAT(changed("/xxh3_128/vocab.txt", 1), says("xxh3_128 does not list files"));
  EXPECT_THAT(changed("/xxh3_128/..~1vocab.txt", "0"), says("xxh3_128 does not list files"));
  EXPECT_THAT(changed("/xxh3_128", 3), says("\"xxh3_128\" is 3; expected an object"));
  EXPECT_THAT(changed("/diffuse/version", nullptr), HasSubstr("\"version\" is null"));
  put("manifest.json", "{\"format\": ");
  EXPECT_THAT(load_error(), says("not valid JSON at column"));
}

}  // namespace
}  // namespace diffuse
