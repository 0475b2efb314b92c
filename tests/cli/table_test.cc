#include "cli/table.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCellAndNumbersStandToTheRight) {
  Table table({"name", "count"});
  table.Row({"a", "1,000"});
  table.Row({"straße", "7"});
  EXPECT_EQ(table.Text(), "name    count\na       1,000\nstraße      7\n");
}

TEST(TableTest, WhatAStrangerHasChosenCannotTalkToTheTerminal) {
  Table table({"stream"});
  table.Row({"a\x1b[2J\nb\xff"});
  EXPECT_EQ(table.Text(), "stream\na\\x1b[2J\\nb\\xff\n");
}

}  // namespace
}  // namespace relay
