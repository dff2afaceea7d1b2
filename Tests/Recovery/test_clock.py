"""Backups after one that was made while Postgres' clock was ahead: pgBackRest accepts only labels later than the
newest."""
import re
import unittest

from Tests.Recovery.site import Site


class Clock(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.end)
        self.site.begin()
        self.site.stop("server")

    def backup_ahead(self):
        """A backup while Postgres' clock is three days ahead."""
        self.site.stop_postgres()
        self.site.start("postgres", "faketime", "-f", "+3d", "postgres", "-D", self.site.data,
                        ready=lambda: self.site.run("pg_isready", "-h", self.site.socket, check=False).returncode == 0)
        self.site.command("run")
        self.site.stop_postgres()
        self.site.stop("postgres")
        self.site.start_postgres()

    def kind_of_next(self):
        return re.search(r"Backup completed \S+ \((\w+)", self.site.command("run").stdout)[1]

    def test_after_one_of_what_differs_a_full_one_is_made_at_once(self):
        self.assertEqual(self.kind_of_next(), "full")
        self.backup_ahead()
        self.assertEqual([self.kind_of_next(), self.kind_of_next()], ["full", "diff"])

    def test_after_a_full_one_what_differs_from_it_goes_on(self):
        self.backup_ahead()
        self.assertEqual([self.kind_of_next(), self.kind_of_next()], ["diff", "diff"])
