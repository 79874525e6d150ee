#!/usr/bin/env python3
"""Writes a text that is made like documents.

Its sections have about 1,024 words. Each is about one of 64 topics, which recur.

  bench/make_topic_text.py 65536 > topics.txt

The words are tokens of bench/make_model.py's vocabulary, one each. Every topic has 64 words, out of
496 that have half of their embedding in common there. Topics follow each other in random order
(seed 1). All of them come up throughout the text, or with --chapter a few at a time, as in a book.
So a token is related to its own section and to those of the same topic, near and far. With a model
of --sharp attention, sparse attention can be measured on this text.
"""
import argparse
import random

TOPICS, WORDS_OF_TOPIC, SECTION, WORDS = 64, 64, 1024, 32000 - 259
TOPICS_OF_CHAPTER = 4
TOPIC = 496  # neighbouring words of one topic in bench/make_model.py


def words(count, generator, chapter):
    topics = [generator.sample(range(i * TOPIC, min((i + 1) * TOPIC, WORDS)), WORDS_OF_TOPIC) for i in range(TOPICS)]
    topic = None
    written = 0
    while written < count:
        first = written // chapter * TOPICS_OF_CHAPTER % TOPICS if chapter else 0
        now = topics[first:first + TOPICS_OF_CHAPTER] if chapter else topics
        topic = generator.choice([other for other in now if other is not topic])
        length = min(count - written, generator.randint(SECTION * 3 // 4, SECTION * 5 // 4))
        written += length
        yield from generator.choices(topic, k=length)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokens", type=int)
    parser.add_argument("--chapter", type=int, default=0, metavar="N",
                        help="so many tokens are about four topics, the next ones about the next four")
    options = parser.parse_args()
    print("".join(f" word{number}" for number in words(options.tokens, random.Random(1), options.chapter)), end="")


if __name__ == "__main__":
    main()
