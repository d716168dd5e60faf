#include "words.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "plain_words.hpp"
#include "support.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using testing::data_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_of;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::TempDir;
using testing::words_of;

std::vector<std::string> split(std::string_view text, bool lowercase = true) {
  std::vector<std::string> words;
  const auto emit = [&words](std::string_view word) { words.emplace_back(word); };
  PlainWordSplitter splitter(lowercase, emit);
  splitter.split(text);
  return words;
}

TokenizerConfig words_config(std::int64_t min_count) {
  TokenizerConfig config;
  config.type = TokenizerType::words;
  config.min_count = min_count;
  return config;
}

TEST(WordSplitting, WordsNumbersAndSinglePunctuationMarks) {
  EXPECT_THAT(split("The U.S. won 3-0, didn't it?!"),
              ElementsAre("the", "u", ".", "s", ".", "won", "3", "-", "0", ",", "didn", "'", "t",
                          "it", "?", "!"));
  EXPECT_THAT(split("4th  b2b\ta_b\n"), ElementsAre("4th", "b2b", "a", "_", "b"));
  EXPECT_THAT(split(" \t\r\n"), IsEmpty());
}

TEST(WordSplitting, LowerCasesBeyondAscii) {
  EXPECT_THAT(split("ÉCOLE Ωμέγα ЖИЗНЬ"), ElementsAre("école", "ωμέγα", "жизнь"));
  EXPECT_THAT(split("ÉCOLE Ab", false), ElementsAre("ÉCOLE", "Ab"));
}

TEST(WordSplitting, MarksBelongToTheirWord) {
  EXPECT_THAT(split("x\u030Cs हिन्दी"), ElementsAre("x\u030Cs", "हिन्दी"));
}

TEST(WordSplitting, EveryFormOfALetterIsTheSameWord) {
  const auto same = [](std::string_view one, std::string_view other) {
    EXPECT_EQ(split(one), split(other)) << one;
    EXPECT_EQ(split(one, false), split(other, false)) << one;
  };
  same("Le cafe\u0301 a\u0300 E\u0301vry", "Le caf\u00E9 \u00E0 \u00C9vry");
  same("Tie\u0302\u0301ng Vie\u0323\u0302t, \u0110o\u0323c", "Ti\u1EBFng Vi\u1EC7t, \u0110\u1ECDc");
  same("\u1112\u1161\u11AB\u1100\u116E\u11A8\u110B\u1165 !", "\uD55C\uAD6D\uC5B4 !");
  same("I\u0307stanbul", "\u0130stanbul");
  same("1=\u03382", "1\u22602");
  same("\u304B\u3099", "\u304C");
  EXPECT_THAT(split("E\u0301\u0323"), ElementsAre("\u1EB9\u0301")) << "marks in their order";
}

TEST(WordSplitting, IdeographsSymbolsAndEmojiStandAlone) {
  EXPECT_THAT(split("中文ab。€5 😀x"), ElementsAre("中", "文", "ab", "。", "€", "5", "😀", "x"));
  EXPECT_THAT(split("한국어 中5中"), ElementsAre("한국어", "中", "5", "中"));
}

TEST(WordSplitting, InvisibleCharacters) {
  EXPECT_THAT(split("co\u00ADop\u200Der"), ElementsAre("cooper"));  // soft hyphen, joiner
  EXPECT_THAT(split("a\u200Bb\u00A0c\u3000d"), ElementsAre("a", "b", "c", "d"));
  const std::string controls = std::string("a\0b\x1F", 4) + "c\u0085" + "d";
  EXPECT_THAT(split(controls), ElementsAre("a", "b", "c", "d"));
}

TEST(WordSplitting, VariationSelectorsVanish) {
  EXPECT_THAT(split("\u2764\uFE0Fgreat \u2764great"),
              ElementsAre("\u2764", "great", "\u2764", "great"));
  EXPECT_THAT(split("\u8FBB\U000E0100x\u180B"), ElementsAre("\u8FBB", "x"));
  EXPECT_THAT(split("1\uFE0F\u20E3"), ElementsAre("1\u20E3"));
  EXPECT_THAT(split("\U0001F469\u200D\U0001F4BBok"), ElementsAre("\U0001F469", "\U0001F4BB", "ok"));
  EXPECT_THAT(split("\uFEFFfirst sec\uFEFFond"), ElementsAre("first", "second"));
}

TEST(WordSplitting, EveryBlankSeparates) {
  for (const char* blank : {"\u00A0", "\u1680", "\u2003", "\u2009", "\u2028", "\u2029", "\u202F",
                            "\u205F", "\u3000", "\u2800", "\u3164", "\uFFA0", "\u0085"}) {
    EXPECT_THAT(split(std::string("a") + blank + "b"), ElementsAre("a", "b"));
  }
}

TEST(WordSplitting, ScriptsWithoutBlanksGiveALetterAToken) {
  EXPECT_THAT(split("日本語テキストです"),
              ElementsAre("日", "本", "語", "テ", "キ", "ス", "ト", "で", "す"));
  EXPECT_THAT(split("ｶﾀ人々ㄅㄆ"), ElementsAre("ｶ", "ﾀ", "人", "々", "ㄅ", "ㄆ"));
  EXPECT_THAT(split("ที่นี่ดี"), ElementsAre("ที่", "นี่", "ดี")) << "Thai: vowels and tones above";
  EXPECT_THAT(split("ນ້ຳດີ"), ElementsAre("ນ້", "ຳ", "ດີ"));      // Lao
  EXPECT_THAT(split("ខ្មែរ"), ElementsAre("ខ្មែ", "រ"));        // Khmer, a letter below another
  EXPECT_THAT(split("မြန်မာ"), ElementsAre("မြ", "န်", "မာ"));  // Myanmar
  EXPECT_THAT(split("ဒုက္ခ"), ElementsAre("ဒု", "က္ခ"));
  EXPECT_THAT(split("བོད་ཡིག"), ElementsAre("བོད", "་", "ཡིག"));  // Tibetan: syllables
}

TEST(WordSplitting, OtherWordsAndNumbersEndWhereSuchALetterBegins) {
  EXPECT_THAT(split("ดูTV๒๕๖๖ที"), ElementsAre("ดู", "tv๒๕๖๖", "ที"));
  EXPECT_THAT(split("iPhone15を買う"), ElementsAre("iphone15", "を", "買", "う"));
  EXPECT_THAT(split("東京２０２０"), ElementsAre("東", "京", "２０２０"));
}

TEST(WordSplitting, InvalidUtf8IsAReplacementCharacter) {
  EXPECT_THAT(split("a\xFF"
                    "b"),
              ElementsAre("a", "\uFFFD", "b"));
}

TEST(WordVocabulary, MostFrequentFirstTiesInByteOrderRareOnesLeftOut) {
  const auto tokenizer =
      words_of(words_config(2), {"pear Apple apple fig", "fig ; apple", "zoo pear ; once é é"});
  EXPECT_EQ(tokenizer->vocab_text(), "[PAD]\n[UNK]\n[MASK]\napple\n;\nfig\npear\né\n");
  EXPECT_EQ(tokenizer->vocab_size(), 8);
  EXPECT_THAT(ids_of(*tokenizer, "Fig; once"), ElementsAre(5, 4, tokenizer->unknown_id()));
  EXPECT_EQ(tokenizer->unknown_id(), 1);
  EXPECT_EQ(tokenizer->mask_id(), 2);
}

TEST(WordVocabulary, DependsNeitherOnThreadsNorOnTheOrderOfTexts) {
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    texts.push_back(fmt::format("w{} v{} common", i % 37, i % 11));
  }
  const std::string expected = words_of(words_config(2), texts)->vocab_text();
  EXPECT_EQ(words_of(words_config(2), texts, 4)->vocab_text(), expected);
  EXPECT_EQ(words_of(words_config(2), {texts.rbegin(), texts.rend()}, 3)->vocab_text(), expected);
}

/// What `builder` makes of `texts` in blocks of `block`: the ids in the end, and in `lengths` how
/// many each text has without a limit.
std::vector<std::vector<std::int32_t>> ids_in_one_pass(VocabularyBuilder& builder,
                                                       const std::vector<std::string>& texts,
                                                       std::size_t block, std::int64_t max_tokens,
                                                       int threads,
                                                       std::vector<std::int64_t>& lengths,
                                                       std::string& vocabulary) {
  WorkerPool pool(threads);
  EncodedTexts encoded;
  std::vector<std::vector<std::int32_t>> rows;
  const std::vector<std::string_view> all(texts.begin(), texts.end());
  for (std::size_t begin = 0; begin < all.size(); begin += block) {
    int reads = 0;
    builder.encode(std::span(all).subspan(begin, std::min(block, all.size() - begin)), max_tokens,
                   pool, encoded, [&] { ++reads; });
    EXPECT_EQ(reads, 1);
    for (std::size_t i = 0; i + 1 < encoded.offsets.size(); ++i) {
      rows.emplace_back(encoded.ids.begin() + encoded.offsets[i],
                        encoded.ids.begin() + encoded.offsets[i + 1]);
    }
    lengths.insert(lengths.end(), encoded.lengths.begin(), encoded.lengths.end());
  }
  const VocabularyBuilder::Vocabulary made = builder.build();
  for (auto& row : rows) {
    for (std::int32_t& id : row) id = made.final_ids.at(static_cast<std::size_t>(id));
  }
  vocabulary = made.tokenizer->vocab_text();
  return rows;
}

TEST(WordVocabulary, OnePassGivesTheIdsOfASecondOne) {
  std::vector<std::string> texts;
  for (int i = 0; i < 700; ++i) {
    texts.push_back(i % 50 == 3 ? ""
                                : fmt::format("Word{} once{} \u00e9{} !? {}", i % 37, i, i % 11,
                                              std::string(static_cast<std::size_t>(i % 90), '.')));
  }
  const auto tokenizer = words_of(words_config(2), texts);
  for (const std::int64_t limit : {0, 1, 40}) {
    std::vector<std::vector<std::int32_t>> expected;
    std::vector<std::int64_t> expected_lengths;
    for (const std::string& text : texts) {
      expected.emplace_back();
      expected_lengths.push_back(tokenizer->encode(text, limit, expected.back()));
    }
    for (const std::size_t block : {7U, 256U, 1000U}) {
      for (const int threads : {1, 2, 3, 8}) {
        VocabularyBuilder builder(words_config(2));
        std::vector<std::int64_t> lengths;
        std::string vocabulary;
        EXPECT_EQ(ids_in_one_pass(builder, texts, block, limit, threads, lengths, vocabulary),
                  expected)
            << block << " a block, " << threads << " threads";
        EXPECT_EQ(lengths, expected_lengths);
        EXPECT_EQ(vocabulary, tokenizer->vocab_text()) << "words behind the limit count";
      }
    }
  }
}

TEST(WordVocabulary, KeepsWordsThatItIsToldOf) {
  const std::vector<std::string> texts = {"red red blue", "red sky"};
  const std::vector<std::string> words = {"Zebra", "sky", "new york", "", "[PAD]", "ape", "ape"};
  const auto made = [&](const std::vector<std::string>& kept, std::vector<std::int64_t> lengths) {
    VocabularyBuilder builder(words_config(2));
    builder.keep(kept);
    std::string vocabulary;
    const auto rows = ids_in_one_pass(builder, texts, 7, 0, 1, lengths, vocabulary);
    EXPECT_EQ(rows[1].back(), 4) << "sky, though it comes once";
    return vocabulary;
  };
  const std::string expected = "[PAD]\n[UNK]\n[MASK]\nred\nsky\nape\nzebra\n";
  EXPECT_EQ(made(words, {}), expected);
  EXPECT_EQ(made({"[PAD]", "[UNK]", "[MASK]", "red", "sky", "ape", "zebra"}, {}), expected)
      << "a vocabulary gives itself";
}

TEST(WordVocabulary, HasAtMostSoManyWordsTheMostFrequentOnes) {
  TokenizerConfig config = words_config(1);
  config.max_words = 3;
  EXPECT_EQ(words_of(config, {"b b b d d c c a", "e"})->vocab_text(),
            "[PAD]\n[UNK]\n[MASK]\nb\nc\nd\n");
  VocabularyBuilder builder(config);
  builder.keep(std::vector<std::string>{"zebra"});
  std::vector<std::int64_t> lengths;
  std::string vocabulary;
  ids_in_one_pass(builder, {"b b b d d c c a", "e"}, 7, 0, 1, lengths, vocabulary);
  EXPECT_EQ(vocabulary, "[PAD]\n[UNK]\n[MASK]\nb\nc\nd\nzebra\n") << "beside those to keep";
}

/// Texts of 20 frequent words and many that come once or twice.
std::vector<std::string> texts_of_many_words() {
  std::vector<std::string> texts;
  for (int i = 0; i < 6000; ++i)
    texts.push_back(fmt::format("common{} rare{} twice{}", i % 20, i, i % 3000));
  return texts;
}

TEST(WordVocabulary, CountsManyWordsInBoundedMemory) {
  const std::vector<std::string> texts = texts_of_many_words();
  TokenizerConfig config = words_config(20);
  const auto all = words_of(config, texts);
  config.counted_words = 1000;
  std::string first;
  for (const int threads : {1, 2, 5}) {
    VocabularyBuilder builder(config);
    std::vector<std::int64_t> lengths;
    std::string vocabulary;
    const auto rows = ids_in_one_pass(builder, texts, 100, 0, threads, lengths, vocabulary);
    const auto forgotten = builder.build().forgotten;
    EXPECT_GT(forgotten.times, 5);
    EXPECT_GE(forgotten.error, forgotten.times) << "words that came once were forgotten each time";
    EXPECT_LE(forgotten.error, 2 * forgotten.times);
    EXPECT_EQ(vocabulary, all->vocab_text()) << "the frequent ones and no other";
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::vector<std::int32_t> expected;
      all->encode(texts[i], 0, expected);
      ASSERT_EQ(rows[i], expected) << i;
    }
  }
}

TEST(WordVocabulary, ForgottenWordsHaveTheUnknownTokenAndAreCountedAnew) {
  TokenizerConfig config = words_config(3);
  config.counted_words = 10;
  std::vector<std::string> texts = {"late often often often often"};
  for (int i = 0; i < 20; ++i) texts.push_back(fmt::format("a{} b{} often", i, i));
  for (int i = 0; i < 3; ++i) texts.emplace_back("late often");
  VocabularyBuilder builder(config);
  std::vector<std::int64_t> lengths;
  std::string vocabulary;
  const auto rows = ids_in_one_pass(builder, texts, 7, 0, 1, lengths, vocabulary);
  EXPECT_EQ(vocabulary, "[PAD]\n[UNK]\n[MASK]\noften\nlate\n");
  EXPECT_THAT(rows.front(), ElementsAre(1, 3, 3, 3, 3)) << "it was forgotten behind this one";
  EXPECT_THAT(rows.back(), ElementsAre(4, 3));
}

TEST(WordVocabulary, KeepsCaseWhenTold) {
  TokenizerConfig config = words_config(1);
  config.lowercase = false;
  EXPECT_EQ(words_of(config, {"B b a"})->vocab_text(), "[PAD]\n[UNK]\n[MASK]\nB\na\nb\n");
}

TEST(WordVocabulary, SpecialTokensInTextAreOrdinaryCharacters) {
  const auto tokenizer = words_of(words_config(1), {"[ mask ]"});
  EXPECT_THAT(ids_of(*tokenizer, "[MASK]"), ElementsAre(3, 5, 4));
}

TEST(WordVocabulary, ReadsBackTheSame) {
  const auto tokenizer = words_of(words_config(1), {"Some words, é 中 … and more words"});
  const TempDir dir;
  const auto read =
      load_tokenizer(words_config(1), dir.write("vocab.txt", tokenizer->vocab_text()));
  EXPECT_EQ(read->vocab_text(), tokenizer->vocab_text());
  EXPECT_EQ(read->vocab_size(), tokenizer->vocab_size());
  const std::string text = "words … and 中 É unknown";
  EXPECT_EQ(ids_of(*read, text), ids_of(*tokenizer, text));
}

TEST(WordVocabulary, NothingFrequentEnoughIsAnError) {
  EXPECT_EQ(data_error([] { words_of(words_config(2), {"all words differ"}); }),
            "no word comes 2 times or more in the training texts (3 different words were seen), so "
            "the vocabulary would be empty; lower tokenizer.min_count or give more text");
}

TEST(WordVocabulary, AnotherTokenizersFileIsRefused) {
  const TempDir dir;
  const auto error_of = [&dir](std::string_view content) {
    const auto path = dir.write("vocab.txt", content);
    const std::string message = data_error([&path] { load_tokenizer(words_config(1), path); });
    EXPECT_THAT(message, StartsWith(path.string() + ":"));
    return message.substr(path.string().size());
  };
  EXPECT_THAT(error_of("[PAD]\n[unused0]\n[UNK]\n"),
              StartsWith(":2: expected [UNK] here, found '[unused0]'; a 'words' vocabulary"));
  EXPECT_THAT(error_of("[PAD]\n[UNK]\n"),
              StartsWith(":3: expected [MASK] here, the file ends before"));
  EXPECT_THAT(error_of(""), HasSubstr("is empty; expected one token a line"));
}

TEST(Words, StopsAtTheLimit) {
  const auto tokenizer = words_of(words_config(1), {"a b c"});
  EXPECT_THAT(ids_of(*tokenizer, "c b a", 2), ElementsAre(5, 4));
  EXPECT_THAT(ids_of(*tokenizer, "c b a", 3), ElementsAre(5, 4, 3));
  EXPECT_THAT(ids_of(*tokenizer, "", 3), IsEmpty());
}

}  // namespace
}  // namespace diffuse
