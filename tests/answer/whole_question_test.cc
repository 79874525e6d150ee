#include "tome/answer/whole_question.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

namespace tome {
namespace {

TEST(WholeQuestionTest, RecognisesQuestionsAboutTheWhole) {
  struct Case {
    std::string_view question;
    WholeKind kind;
  };
  for (const Case& each : {
           Case{"Summarise this book.", WholeKind::kSummary},
           Case{"Please summarize the document", WholeKind::kSummary},
           Case{"Could you give me a short summary?", WholeKind::kSummary},
           Case{"What is this book about?", WholeKind::kSummary},
           Case{"What's the document about?", WholeKind::kSummary},
           Case{"What are the main points?", WholeKind::kSummary},
           Case{"List every ship that sank.", WholeKind::kList},
           Case{"List all of the keepers", WholeKind::kList},
           Case{"Who are all the characters?", WholeKind::kList},
           Case{"How many times did the lamp go out?", WholeKind::kCount},
           Case{"请总结这本书", WholeKind::kSummary},
           Case{"請總結這本書", WholeKind::kSummary},
           Case{"概括全文", WholeKind::kSummary},
           Case{"这本书主要讲什么？", WholeKind::kSummary},
           Case{"這篇文章講了什麼？", WholeKind::kSummary},
           Case{"列出书中的人物", WholeKind::kList},
           Case{"所有的船有哪些？", WholeKind::kList},
           Case{"他一生航海多少次？", WholeKind::kCount},
       }) {
    const std::optional<WholeQuestion> found = RecogniseWholeQuestion(each.question);
    ASSERT_TRUE(found) << each.question;
    EXPECT_EQ(found->kind, each.kind) << each.question;
    EXPECT_EQ(found->literal, "") << each.question;
  }
}

TEST(WholeQuestionTest, LeavesQuestionsAboutOneFact) {
  for (const std::string_view question : {
           "How many pounds did Ambrose owe?",
           "How often should I water it?",
           "How often does the bus run?",
           "How many times larger is Jupiter than Earth?",
           "How many times a day is the lamp cleaned?",
           "Who wrote the summary of the report?",
           "Summarise chapter 3.",
           "What are the main points of the last section?",
           "What is the main ingredient?",
           "What is the list price?",
           "Which name does the ship have?",
           "What does the keeper list in his log?",
           "Where is Whitby?",
           "Is the book about whales expensive?",
           "他总结了什么经验？",
           "总结第三章",
           "他结过几次婚？",
           "他欠了多少钱？",
           "每一天他做什么？",
           "这本书的作者是谁？",
           "",
           "?",
       }) {
    EXPECT_FALSE(RecogniseWholeQuestion(question)) << question;
  }
}

TEST(WholeQuestionTest, NamesTheWordsThatAreCounted) {
  struct Case {
    std::string_view question;
    std::string_view literal;
  };
  for (const Case& each : {
           Case{"How often is Whitby mentioned?", "Whitby"},
           Case{"How often does the word lamp occur in this book?", "lamp"},
           Case{"How many times is \"Moby Dick\" mentioned?", "Moby Dick"},
           Case{"How many times does the author mention the white whale in the book?",
                "white whale"},
           Case{"How often is the word 'light' used?", "light"},
           Case{"How often is it mentioned?", ""},
           Case{"“灯塔”出现了多少次？", "灯塔"},
           Case{"书中提到灯塔多少次？", "灯塔"},
           Case{"灯塔在书中出现了几次？", "灯塔"},
           Case{"全书一共提到了多少次灯塔？", "灯塔"},
       }) {
    const std::optional<WholeQuestion> found = RecogniseWholeQuestion(each.question);
    ASSERT_TRUE(found) << each.question;
    EXPECT_EQ(found->kind, WholeKind::kCount) << each.question;
    EXPECT_EQ(found->literal, each.literal) << each.question;
  }
}

}  // namespace
}  // namespace tome
