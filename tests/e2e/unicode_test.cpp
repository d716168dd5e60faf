// Texts and labels that read the same are the same, and texts of every script can be learnt.

#include <gmock/gmock.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two classes, each with words of its own.
struct Language {
  std::array<const char*, 2> labels;
  std::array<std::array<const char*, 4>, 2> words;
  std::array<const char*, 4> fillers;
  const char* blank;  ///< between words
};

const Language kVietnamese = {{"thể thao", "kinh tế"},
                              {{{"bóng", "đấu", "cầu", "thủ"}, {"hàng", "phiếu", "thị", "ngân"}}},
                              {"là", "của", "một", "được"},
                              " "};
const Language kKorean = {{"운동", "돈"},
                          {{{"경기", "축구", "감독", "선수"}, {"은행", "주식", "시장", "이익"}}},
                          {"그", "이", "오늘", "다시"},
                          " "};
const Language kThai = {{"กีฬา", "เงิน"},
                        {{{"ฟุตบอล", "นักกีฬา", "แข่งขัน", "ประตู"}, {"ธนาคาร", "หุ้น", "กำไร", "ตลาด"}}},
                        {"วันนี้", "ใหม่", "และ", "ที่"},
                        ""};
const Language kJapanese = {
    {"スポーツ", "お金"},
    {{{"試合", "ゴール", "チーム", "監督"}, {"銀行", "株価", "もうけ", "マーケット"}}},
    {"きょう", "また", "について", "の"},
    ""};

/// Rows `label,text`; no text comes twice among the first 2,048.
std::string csv(const Language& language, int first, int rows) {
  std::string content;
  for (int i = first; i < first + rows; ++i) {
    const auto topic = static_cast<std::size_t>(i % 2);
    auto choice = static_cast<std::size_t>(i / 2 * 389 % 1024);  // of 4^5 texts
    const auto next = [&choice](const std::array<const char*, 4>& from) {
      const char* const word = from[choice % 4];
      choice /= 4;
      return std::string(word);
    };
    const std::string gap = language.blank;
    const auto& words = language.words[topic];
    const auto& fillers = language.fillers;
    content += std::string(language.labels[topic]) + "," + next(fillers) + gap + next(words) + gap +
               next(fillers) + gap + next(words) + gap + next(fillers) + "\n";
  }
  return content;
}

/// The letters of the texts above in Unicode's form D, as macOS writes them.
std::string decomposed(std::string text) {
  static const std::array<std::pair<const char*, const char*>, 38> kForms = {{
      {"ể", "e\u0302\u0309"},
      {"ế", "e\u0302\u0301"},
      {"ó", "o\u0301"},
      {"ấ", "a\u0302\u0301"},
      {"ầ", "a\u0302\u0300"},
      {"ủ", "u\u0309"},
      {"à", "a\u0300"},
      {"ị", "i\u0323"},
      {"â", "a\u0302"},
      {"ộ", "o\u0323\u0302"},
      {"ợ", "o\u031B\u0323"},
      {"ư", "u\u031B"},
      {"경", "\u1100\u1167\u11BC"},
      {"기", "\u1100\u1175"},
      {"축", "\u110E\u116E\u11A8"},
      {"구", "\u1100\u116E"},
      {"감", "\u1100\u1161\u11B7"},
      {"독", "\u1103\u1169\u11A8"},
      {"선", "\u1109\u1165\u11AB"},
      {"수", "\u1109\u116E"},
      {"은", "\u110B\u1173\u11AB"},
      {"행", "\u1112\u1162\u11BC"},
      {"주", "\u110C\u116E"},
      {"식", "\u1109\u1175\u11A8"},
      {"시", "\u1109\u1175"},
      {"장", "\u110C\u1161\u11BC"},
      {"이", "\u110B\u1175"},
      {"익", "\u110B\u1175\u11A8"},
      {"운", "\u110B\u116E\u11AB"},
      {"동", "\u1103\u1169\u11BC"},
      {"돈", "\u1103\u1169\u11AB"},
      {"그", "\u1100\u1173"},
      {"오", "\u110B\u1169"},
      {"늘", "\u1102\u1173\u11AF"},
      {"다", "\u1103\u1161"},
      {"が", "か\u3099"},
      {"ゴ", "コ\u3099"},
      {"ど", "と\u3099"},
  }};
  for (const auto& [together, apart] : kForms) {
    for (std::size_t at = 0; (at = text.find(together, at)) != std::string::npos;) {
      text.replace(at, std::string(together).size(), apart);
    }
  }
  return text;
}

double accuracy_of(const Outcome& eval) {
  return nlohmann::json::parse(eval.out)["accuracy"].get<double>();
}

/// A workspace with a model of 240 texts of the language, in `run`.
class Languages : public ::testing::Test {
 protected:
  void train_on(const Language& language) {
    workspace_.write("train.csv", csv(language, 0, 240));
    workspace_.write("test.csv", csv(language, 240, 80));
    training_ = workspace_.run({"train", "--config", "small.json", "--out", "run"});
    ASSERT_EQ(training_.exit_code, 0) << training_;
  }
  Outcome eval_of(const std::string& content) {
    workspace_.write("other.csv", content);
    return workspace_.run({"eval", "--checkpoint", "run", "--data", "other.csv", "--json"});
  }

  Workspace workspace_;
  Outcome training_;
};

class UnicodeForms : public Languages {
 protected:
  void expect_one_answer(const Language& language) {
    train_on(language);
    const std::string test = csv(language, 240, 80);
    ASSERT_NE(decomposed(test), test);
    const Outcome together = eval_of(test);
    const Outcome apart = eval_of(decomposed(test));
    ASSERT_EQ(together.exit_code, 0) << together;
    EXPECT_GE(accuracy_of(together), 0.95);
    ASSERT_EQ(apart.exit_code, 0) << apart;
    for (const char* figure : {"mean_loss", "confusion"}) {  // to the bit: the ids are the same
      EXPECT_EQ(nlohmann::json::parse(apart.out)[figure],
                nlohmann::json::parse(together.out)[figure])
          << "texts and labels in another form";
    }
  }
};

TEST_F(UnicodeForms, VietnameseWithItsMarksApart) { expect_one_answer(kVietnamese); }

TEST_F(UnicodeForms, KoreanInPartsOfSyllables) { expect_one_answer(kKorean); }

TEST_F(UnicodeForms, PredictTakesThemToo) {
  train_on(kVietnamese);
  const auto answer = [&](const std::string& text) {
    return workspace_.run({"predict", "--checkpoint", "run"}, text + "\n").out;
  };
  EXPECT_THAT(answer("thủ ngân thị"), HasSubstr("kinh tế"));
  EXPECT_EQ(answer(decomposed("thủ ngân thị")), answer("thủ ngân thị"));
}

TEST_F(UnicodeForms, AVariationSelectorDoesNotStickToTheNextWord) {
  std::string content;
  for (int i = 0; i < 40; ++i) {
    content += i % 2 == 0 ? "good,\u2764\uFE0Fgreat \U0001F469\u200D\U0001F4BBfun\n"
                          : "bad,\u2764poor great\u00A0day\n";
  }
  workspace_.write("train.csv", content);
  ASSERT_EQ(workspace_.run({"train", "--train", "train.csv", "--out", "run", "--device", "cpu"})
                .exit_code,
            0);
  const std::string vocabulary = read_file(workspace_.path() / "run/checkpoints/best/vocab.txt");
  EXPECT_THAT(vocabulary, Not(HasSubstr("\uFE0F")));
  EXPECT_THAT(lines_of(vocabulary), AllOf(Contains("great"), Contains("fun"), Contains("poor"),
                                          Contains("\u2764"), Contains("\U0001F4BB")));
}

class ScriptsWithoutBlanks : public Languages {
 protected:
  void expect_learnt(const Language& language) {
    train_on(language);
    const Outcome eval = eval_of(csv(language, 240, 80));
    ASSERT_EQ(eval.exit_code, 0) << eval;
    EXPECT_GE(accuracy_of(eval), 0.95) << training_;
  }
};

TEST_F(ScriptsWithoutBlanks, Thai) { expect_learnt(kThai); }

TEST_F(ScriptsWithoutBlanks, Japanese) { expect_learnt(kJapanese); }

/// A dry run of `train` on the content.
Outcome dry_run(const std::string& content, std::vector<std::string> more = {}) {
  Workspace workspace;
  workspace.write("rows.csv", content);
  workspace.write("names.txt", "\uFEFFsport \rn\u00E9gatif\u00A0\r\r");
  std::vector<std::string> arguments = {"train",     "--train",  "rows.csv",
                                        "--dry-run", "--device", "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return workspace.run(arguments);
}

TEST(LookAlikeLabels, AreAWarningWithTheirRows) {
  std::string content;
  for (int i = 0; i < 30; ++i) {
    content += std::array{"0", "1", "0.0", "01", "\uFF11", "0"}[static_cast<std::size_t>(i % 6)];
    content += ",some text\n";
  }
  const Outcome outcome = dry_run(content);
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("\"0\" (10 rows), \"0.0\" (5 rows)"));
  EXPECT_THAT(outcome.err, HasSubstr("\"01\" (5 rows), \"1\" (5 rows), \"\uFF11\" (5 rows)"));
}

TEST(LookAlikeLabels, ThatReadTheSameAreTheSame) {
  std::string content;
  for (int i = 0; i < 12; ++i) {
    content += i % 2 == 0 ? "\u200Bsport,a match\nsport\u00A0,a goal\n"
                          : "ne\u0301gatif,a loss\n\uFEFFn\u00E9gatif,a debt\n";
  }
  for (const std::vector<std::string>& labels :
       {std::vector<std::string>{}, {"--set", "data.labels=names.txt"}}) {
    const Outcome outcome = dry_run(content, labels);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.err, Not(HasSubstr("differ by case")));
  }
}

TEST(LookAlikeLabels, AnUnknownLabelIsNeverAnsweredWithItself) {
  const Outcome outcome = dry_run("sport,a\nnegatif,b\n", {"--set", "data.labels=names.txt"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("unknown label \"negatif\", did you mean \"n\u00E9gatif\"?"));
}

}  // namespace
}  // namespace diffuse::testing
