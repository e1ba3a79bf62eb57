"""The comparison of differential answers, tested on made-up ones."""

import unittest

from compare import Differs, Lacks, Verdict, leaves, matching

SAME = {"status": 200, "Name": "a"}


def judge(simulator, moto, ministack, *table):
    answers = {"simulator": simulator, "moto": moto, "ministack": ministack}
    recordings = {who: {"GetThing plain": ("thing", outcome)} for who, outcome in answers.items()}
    return Verdict(recordings, {"thing": list(table)}).report()


class Comparing(unittest.TestCase):
    def test_equal_answers_are_no_difference(self):
        self.assertEqual(judge(SAME, SAME, SAME), [])

    def test_a_difference_shows_all_three_answers(self):
        report = judge(SAME, SAME, {**SAME, "Name": "b"})
        self.assertEqual(
            report, ["thing GetThing plain: Name", '    simulator  "a"', '    moto       "a"', '    ministack  "b"']
        )

    def test_a_member_more_or_less_is_a_difference(self):
        self.assertIn("thing GetThing plain: Other", judge(SAME, {**SAME, "Other": None}, SAME))
        self.assertIn("thing GetThing plain: Name", judge(SAME, {"status": 200}, SAME))

    def test_types_count(self):
        self.assertIn("thing GetThing plain: On", judge({"status": 200, "On": True}, {"status": 200, "On": 1}, {"status": 200, "On": True}))

    def test_a_failure_against_a_success_is_one_difference(self):
        failure = {"failed": 404, "Error": {"Code": "NotFound"}}
        self.assertEqual(judge(SAME, failure, SAME)[0], "thing GetThing plain: outcome")
        self.assertEqual(len(judge(SAME, failure, SAME)), 4)

    def test_failures_are_compared_by_status_and_code(self):
        failure = {"failed": 404, "Error": {"Code": "NotFound"}}
        report = judge(failure, {**failure, "failed": 400}, {**failure, "Error": {"Code": "Other"}})
        self.assertEqual([line for line in report if line.startswith("thing")], ["thing GetThing plain: status", "thing GetThing plain: Error.Code"])

    def test_a_row_explains_its_server_alone(self):
        row = Differs("moto", "GetThing *", "Name", "why", "source")
        other = {**SAME, "Name": "b"}
        self.assertEqual(judge(SAME, other, SAME, row), [])
        self.assertIn("thing GetThing plain: Name", judge(SAME, other, other, row))

    def test_a_row_that_nothing_needs_is_told(self):
        row = Differs("moto ministack", "GetThing plain", "Name", "why", "source")
        report = judge(SAME, {**SAME, "Name": "b"}, SAME, row)
        self.assertTrue(report and all("take it away: thing, ministack" in line for line in report), report)

    def test_every_pattern_of_a_row_must_be_needed(self):
        row = Differs("moto", "GetThing plain | GetThing other", "Name", "why", "source")
        report = judge(SAME, {**SAME, "Name": "b"}, SAME, row)
        self.assertEqual(len(report), 1)
        self.assertIn("'GetThing other'", report[0])

    def test_an_operation_that_is_lacking_is_not_compared_until_it_is_there(self):
        row = Lacks("moto", "GetThing", "why")
        failure = {"failed": 400, "Error": {"Code": "InvalidAction"}}
        self.assertEqual(judge(SAME, failure, SAME, row), [])
        self.assertEqual(judge(SAME, {"status": 200, "Buckets": []}, SAME, row), [])
        self.assertIn("moto has thing GetThing now", judge(SAME, SAME, SAME, row)[0])

    def test_lists_are_compared_by_what_tells_entries_apart(self):
        self.assertEqual(leaves({"Tags": [{"Key": "b"}, {"Key": "a"}]}), leaves({"Tags": [{"Key": "a"}, {"Key": "b"}]}))
        self.assertEqual(leaves({"Urls": ["b", "a"]}), leaves({"Urls": ["a", "b"]}))
        self.assertNotEqual(leaves({"Bodies": [{"Body": "b"}, {"Body": "a"}]}), leaves({"Bodies": [{"Body": "a"}, {"Body": "b"}]}))

    def test_patterns(self):
        self.assertEqual(matching("Get* | Put*", "GetThing plain"), ["Get*"])
        self.assertEqual(matching("Thing", "GetThing"), [])
        self.assertEqual(matching("A[*", "A[0].B"), ["A[*"])


if __name__ == "__main__":
    unittest.main()
