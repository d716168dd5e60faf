#include "data/column_kind.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace diffuse {
namespace {

using Values = std::vector<std::string_view>;

TEST(ColumnKind, Numbers) {
  EXPECT_EQ(kind_of({"1", "-2.5", "", "3e-4"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"$1,200.50", "7 %", "€3"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"1", "two"}), ColumnKind::text);
}

TEST(ColumnKind, Dates) {
  EXPECT_EQ(kind_of({"2024-01-02", "2024-03-04T10:11:12Z"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"1/2/2024", "12/31/99"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"12 Jan 2024", "Mon, 3 March 2025 10:00"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"bus 12 to 5"}), ColumnKind::text);
}

TEST(ColumnKind, Links) {
  EXPECT_EQ(kind_of({"https://a.b/c?d=1", "HTTP://e.f", "Www.g.h", "ftp://i.j"}), ColumnKind::link);
  EXPECT_EQ(kind_of({"https://a.b is a page"}), ColumnKind::text);
}

TEST(ColumnKind, IdentifiersAreDifferentInEveryRow) {
  EXPECT_EQ(kind_of({"a1", "b2", "3f-9c"}), ColumnKind::identifier);
  EXPECT_EQ(kind_of({"a1", "b2", "a1"}), ColumnKind::text);
  EXPECT_EQ(kind_of({"good", "bad"}), ColumnKind::text);
}

TEST(ColumnKind, NothingIsText) {
  EXPECT_EQ(kind_of(Values{}), ColumnKind::text);
  EXPECT_EQ(kind_of({"", " "}), ColumnKind::text);
}

TEST(ColumnKind, WhatIsNotThereDoesNotCount) {
  EXPECT_EQ(kind_of({"1", "NA", "null", "-", "n/a"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"www.a.b", "None"}), ColumnKind::link);
  EXPECT_EQ(kind_of({"None", "null"}), ColumnKind::text);
}

TEST(ColumnKind, PricesRatiosAndTimes) {
  EXPECT_EQ(kind_of({"$1.99", "-$5", "5 EUR", "1,99 €"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"4/5", "3.5/5"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"9:30", "12:05 pm", "23:59:01"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"Mon Apr 06 22:19:00 PDT 2009", "Tue Dec 01 07:00:00 CEST 2009"}),
            ColumnKind::date);
  EXPECT_EQ(kind_of({"2024-01", "2024-02"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"and/or"}), ColumnKind::text);
}

TEST(ColumnKind, Addresses) {
  EXPECT_EQ(kind_of({"a.b@c.org", "d@e.com"}), ColumnKind::address);
  EXPECT_EQ(kind_of({"@ada", "@bob"}), ColumnKind::address);
  EXPECT_EQ(kind_of({"@ada hello"}), ColumnKind::text);
  EXPECT_EQ(kind_of({"me @ home"}), ColumnKind::text);
}

TEST(ColumnKind, TelephoneNumbers) {
  EXPECT_EQ(kind_of({"+1 (555) 123-4567", "555-123-4567", "020 7946 0958 x12"}), ColumnKind::phone);
  EXPECT_EQ(kind_of({"call 555-123-4567"}), ColumnKind::text);
}

TEST(ColumnKind, HexadecimalIdentifiersMayComeAgain) {
  EXPECT_EQ(kind_of({"deadbeef", "deadbeef", "0xCAFEBABE"}), ColumnKind::identifier);
  EXPECT_EQ(
      kind_of({"123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"}),
      ColumnKind::identifier);
  EXPECT_EQ(kind_of({"facade", "bed"}), ColumnKind::text);
}

}  // namespace
}  // namespace diffuse
