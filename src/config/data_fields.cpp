#include "field.hpp"

namespace diffuse {

std::vector<Field> data_fields() {
  FieldTable<DataConfig> table("data", &Config::data);
  table
      .add("train", &DataConfig::train,
           "File of labelled texts to train on. Plain or gzip (.gz). Training needs it. Several, "
           "in a list or by a pattern such as \"news-*.csv\", are read one after the other as one "
           "(docs/data.md, \"Several files\"). \"-\": stdin, read once.")
      .also_called({"train_file", "training"});
  table
      .add("validation", &DataConfig::validation,
           "File of labelled texts that choose the best checkpoint. Empty: rows are split off "
           "from data.train, see data.validation_fraction.")
      .is_path()
      .also_called({"valid", "dev", "val"});
  table
      .add("test", &DataConfig::test,
           "File of labelled texts measured once, after training. Empty: no test.")
      .is_path();
  table.add(
      "format", &DataConfig::format,
      "Format of the data files. auto: by the file's extension .csv, .tsv (or .tab) or .jsonl "
      "(or .ndjson) or .bin, with or without .gz behind it. csv is RFC 4180, tsv the same with "
      "tabs "
      "between the fields, jsonl one object a line, pixels rows of 1,025 bytes: the label and the "
      "values of 32 x 32 pixels.");
  table
      .add("separator", &DataConfig::separator,
           "Character between the fields of a CSV file: one character, or \"tab\". Empty: the one "
           "of "
           ", ; | and tab that gives every row the same number of fields; a TSV file has tabs.")
      .also_called({"delimiter", "sep"});
  table
      .add(
          "quote", &DataConfig::quote,
          "What a quote character means in a CSV or TSV file. standard: as in RFC 4180, a field in "
          "quotes may hold separators and line breaks. none: a quote is a character like others, "
          "as "
          "in GLUE's TSV files.")
      .also_called({"quoting"});
  table.add("header", &DataConfig::header,
            "Whether the first row of a CSV or TSV file names the columns. auto: yes if a column "
            "is chosen by name, or if the first row holds a usual column name such as label or "
            "text and none of its words comes again below in its column.");
  table
      .add(
          "label_column", &DataConfig::label_column,
          "Column that holds the label. A name (JSONL, files with a header) or a number from 1. "
          "Empty: the column called label, else class, category, target, topic, sentiment, labels, "
          "categories or tags, else the one column that is not called like a text, else the first, "
          "if that is not; JSONL must "
          "have a key with one of these "
          "names.")
      .or_number();
  table
      .add("text_columns", &DataConfig::text_columns,
           "Columns that hold the text. Names or numbers from 1; several are joined by a blank in "
           "the order given here. Empty: all columns called text, title, headline, description, "
           "content, sentence, question, review, body, message, tweet, "
           "comment, subject or summary, else every column but the label that holds more than "
           "numbers, dates, links or identifiers, in the file's order.")
      .or_number()
      .also_called({"text_column", "text"});
  table
      .add("weight_column", &DataConfig::weight_column,
           "Column of data.train that says how much a row counts in the loss, a number of at least "
           "0. A name (JSONL, files with a header) or a number from 1. It is multiplied by the "
           "weight of the row's class (train.class_weights). Validation and test count every row "
           "once. Empty: every row counts once.")
      .or_number()
      .also_called({"sample_weight", "weights"});
  table
      .add(
          "soft_labels", &DataConfig::soft_labels,
          "Key of a JSONL file with a probability for each class. Its value is an object {class: "
          "probability}, or a list in the order of data.labels; together about 1. A row without it "
          "has its label alone; one without a label has the most probable class as its label. "
          "Empty: none.")
      .also_called({"probabilities", "teacher"});
  table
      .add("label_separator", &DataConfig::label_separator,
           "What stands between the labels of a text that has several, such as \"|\". With one "
           "every class is decided by itself: a text may have none, one or more "
           "(docs/multi-label.md). In JSONL a list of labels needs it, too, and no label may hold "
           "it. Empty: one label a text.")
      .also_called({"multi_label", "multilabel", "label_delimiter"});
  table
      .add("labels", &DataConfig::labels,
           "File of the class names, one a line. Labels in the data are then these names, or "
           "numbers that count them from data.label_base. Empty: the classes are the labels found "
           "in data.train, sorted.")
      .is_path()
      .also_called({"classes"});
  table
      .add("label_base", &DataConfig::label_base,
           "Number of the first class where the labels are numbers. They count the names of "
           "data.labels. AG News counts from 1.")
      .between(0, 1000000);
  table
      .add("max_rows", &DataConfig::max_rows,
           "How many rows of data.train to use, from its start. Applied before rows are split off "
           "for validation. 0: all.")
      .at_least(0)
      .in("rows")
      .also_called({"limit"});
  table
      .add("epoch_rows", &DataConfig::epoch_rows,
           "After how many training rows an epoch ends. For data of which one pass is too long: "
           "lengths in e, such as train.length and train.evaluate_every, count epochs of so many "
           "rows, and the next epoch goes on where the last one stopped, so that no row comes "
           "again before all have come. 0, or more than there are: all rows.")
      .at_least(0)
      .in("rows");
  table
      .add("validation_fraction", &DataConfig::validation_fraction,
           "Part of the training rows split off for validation. The same part of every class, "
           "chosen by train.seed. -1: by the number of rows (docs/data.md, \"Validation\"). 0: no "
           "validation, the last checkpoint is the result. Not used when data.validation names a "
           "file.")
      .at_least(-1)
      .below(1);
  table
      .add("test_fraction", &DataConfig::test_fraction,
           "Part of the training rows split off for the test at the end. The same part of every "
           "class, chosen by train.seed, before rows are split off for validation; equal texts go "
           "to the same side. Neither vocabulary nor n-grams are made of them. 0: none. Not beside "
           "data.test.")
      .at_least(0)
      .below(1)
      .also_called({"test_size"});
  table.add("on_error", &DataConfig::on_error,
            "What a bad row does. error: stop, naming file, line and what was expected. skip: "
            "leave it out, count it and show the first five.");
  table
      .add("cache", &DataConfig::cache,
           "Whether encoded files are kept on disk for the next run. A copy whose source, "
           "tokenizer or options changed is not used. With n-grams there is none.")
      .may_change_on_resume();
  table
      .add("cache_dir", &DataConfig::cache_dir,
           "Folder for encoded files. Empty: ${XDG_CACHE_HOME:-~/.cache}/diffuse.")
      .is_path()
      .may_change_on_resume();
  return table.take();
}

}  // namespace diffuse
