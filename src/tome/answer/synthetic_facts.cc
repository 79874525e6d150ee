#include "tome/answer/synthetic_facts.h"

#include <fmt/format.h>

#include <array>
#include <random>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<SyntheticFact, 24> kEnglish{{
    {"The harbour of Veldmere was dug by hand in 1713.",
     "When did people build the port of Veldmere?", "1713"},
    {"Its first lighthouse keeper was a widow named Orla Tennant.",
     "Who looked after the light in the beginning?", "Orla Tennant"},
    {"The town's bell is cast from melted coins.", "What metal objects was the bell made of?",
     "coins"},
    {"Every household pays its water tax in dried herring.",
     "How do families settle what they owe for water?", "herring"},
    {"The bakery on Quill Lane opens at four in the morning.",
     "At which hour can one buy bread on Quill Lane?", "four"},
    {"Children learn to swim before they learn to read, by order of the council.",
     "Who decided that pupils must swim first?", "council"},
    {"The library owns 6,240 books and a single chair.",
     "How large is the collection of the library?", "6,240"},
    {"Mayor Edvin Sorrell rides to work on a grey donkey.", "Which animal carries the mayor?",
     "donkey"},
    {"The bridge over the Tarn collapsed during a wedding.",
     "What was being celebrated when the bridge fell?", "wedding"},
    {"It was rebuilt by engineers from Halvar Point.",
     "Where did the builders of the second bridge come from?", "Halvar"},
    {"Blue paint is forbidden on all doors because it attracts wasps.",
     "Why may nobody have a blue door?", "wasps"},
    {"The glassworks employs thirty-one people.", "How many workers does the glass factory have?",
     "thirty-one"},
    {"Its owner, Petra Lund, sold the recipe for green glass to a circus.",
     "Who bought the formula for green glass?", "circus"},
    {"In winter the ferry runs only on Tuesdays.", "On which day can one cross in the cold season?",
     "Tuesday"},
    {"The oldest tree in the park is a walnut.",
     "What kind of tree has stood in the park the longest?", "walnut"},
    {"A storm in 1898 carried the church roof into the sea.",
     "In what year did the church lose its roof?", "1898"},
    {"The new roof is covered with copper.", "What material lies on top of the church now?",
     "copper"},
    {"Doctor Amos Keel treats headaches with peppermint oil.",
     "What does the physician use against a sore head?", "peppermint"},
    {"The football club wears orange because yellow cloth had run out.",
     "Which colour do the players have on?", "orange"},
    {"The deepest well in the valley reaches down ninety metres.",
     "How deep does the deepest well go?", "ninety"},
    {"Letters are delivered by a retired sailor called Bram.", "Who brings the post?", "Bram"},
    {"The theatre burned down after a performance with real torches.",
     "What set the theatre on fire?", "torches"},
    {"Honey from the southern slopes tastes of thyme.",
     "Which herb can one taste in the honey of the south?", "thyme"},
    {"The founder of the town is buried under the post office.",
     "Where does the founder's grave lie?", "post office"},
}};

constexpr std::array<SyntheticFact, 24> kChinese{{
    {"石湾镇的码头建成于1713年。", "石湾镇的港口是哪一年修好的？", "1713"},
    {"第一任灯塔看守人是一位名叫沈月娥的寡妇。", "最早照看灯塔的人是谁？", "沈月娥"},
    {"镇上的大钟是用熔化的铜钱铸成的。", "大钟的材料从何而来？", "铜钱"},
    {"每户人家用咸鱼干缴纳水费。", "居民拿什么来付水钱？", "咸鱼"},
    {"竹巷的面包店清晨四点开门。", "几点可以在竹巷买到面包？", "四点"},
    {"孩子们必须先学游泳再学认字，这是议事会的规定。", "谁要求学生先会游泳？", "议事会"},
    {"图书馆藏书6240册，却只有一把椅子。", "图书馆有多少本书？", "6240"},
    {"镇长骑着一头灰色的毛驴上班。", "镇长靠什么动物代步？", "驴"},
    {"青河上的桥在一场婚礼中塌了。", "桥倒下的时候人们正在办什么喜事？", "婚礼"},
    {"后来桥由白石村的工匠重建。", "第二座桥的建造者来自哪里？", "白石村"},
    {"门不许漆成蓝色，因为蓝色会引来黄蜂。", "为什么没有人家用蓝门？", "黄蜂"},
    {"玻璃厂雇了三十一个人。", "玻璃厂里有多少工人？", "三十一"},
    {"厂主林佩把绿玻璃的配方卖给了一个马戏团。", "谁买走了绿玻璃的制法？", "马戏团"},
    {"冬天渡船只在星期二开。", "天冷的时候哪一天能过河？", "星期二"},
    {"公园里最老的树是一棵核桃树。", "公园里年岁最大的是什么树？", "核桃"},
    {"1898年的暴风把庙顶卷进了海里。", "庙是哪一年失去屋顶的？", "1898"},
    {"新的庙顶铺的是铜片。", "现在庙顶用的是什么材料？", "铜片"},
    {"郭大夫用薄荷油治头痛。", "头疼的病人会得到什么药？", "薄荷"},
    {"足球队穿橙色球衣，因为黄布用完了。", "球员的衣服是什么颜色？", "橙"},
    {"山谷里最深的井有九十米。", "最深的那口井有多深？", "九十米"},
    {"送信的是一位退休水手，名叫阿勇。", "镇上的邮差叫什么？", "阿勇"},
    {"戏院在一次使用真火把的演出之后烧毁了。", "戏院因何起火？", "火把"},
    {"南坡的蜂蜜带有百里香的味道。", "南面的蜜尝起来像哪种香草？", "百里香"},
    {"小镇的创始人葬在邮局下面。", "创始人的坟墓在什么地方？", "邮局"},
}};

std::string FillerSentence(PromptLanguage language, std::mt19937& random) {
  static constexpr std::array<std::string_view, 8> kNames{"Ada",   "Bertil", "Clovis", "Dagny",
                                                          "Emrik", "Fenna",  "Gustav", "Hedda"};
  static constexpr std::array<std::string_view, 8> kThings{
      "boats", "kettles", "lanterns", "ladders", "baskets", "saddles", "mirrors", "clocks"};
  static constexpr std::array<std::string_view, 8> kNamesZh{"阿桂", "小满", "老秦", "文秀",
                                                            "大柱", "春生", "玉兰", "德福"};
  static constexpr std::array<std::string_view, 8> kThingsZh{"木船", "水壶", "灯笼", "梯子",
                                                             "竹篮", "马鞍", "镜子", "闹表"};
  const auto pick = [&] { return static_cast<size_t>(random() % 8); };
  const auto number = 40 + random() % 900;
  if (language == PromptLanguage::kChinese) {
    return fmt::format("{}的铺子里有{}个{}。", kNamesZh[pick()], number, kThingsZh[pick()]);
  }
  return fmt::format("The shop of {} keeps {} {} in a row. ", kNames[pick()], number,
                     kThings[pick()]);
}

}  // namespace

std::span<const SyntheticFact> SyntheticFacts(PromptLanguage language) {
  if (language == PromptLanguage::kChinese) return kChinese;
  return kEnglish;
}

std::string SyntheticFiller(PromptLanguage language, int64_t characters) {
  std::mt19937 random(1);
  std::string filler;
  while (static_cast<int64_t>(CountCodePoints(filler)) < characters) {
    filler += FillerSentence(language, random);
  }
  return filler;
}

}  // namespace tome
