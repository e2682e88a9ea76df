#!/usr/bin/env python3
"""Counts, from the CSV files alone, what the two workflows must have done, and compares it with what Roster says.

    python3 check.py LEADS.csv DEALS.csv --roster "roster --server http://127.0.0.1:7400"

Needs nothing but Python. It knows the story of workflows.json, and nothing of how Roster works: leads of some origins wait 14
days by the calendar of Sao Paulo; a deal won before they are over is the goal; the others are sorted by landing page. Every deal
is sorted by segment. Exit code 0: every count is equal.
"""
import argparse
import csv
import datetime
import json
import shlex
import subprocess
import sys
import zoneinfo
from collections import Counter

ZONE = zoneinfo.ZoneInfo("America/Sao_Paulo")
ORIGINS = {"organic_search", "paid_search", "social", "direct_traffic", "email", "referral"}
PAGES = {
    "b76ef37428e6799c421989521c0e5077": "b76ef374",
    "22c29808c4f815213303f8933030604c": "22c29808",
    "58326e62183c14b0c03085c33b9fdc44": "58326e62",
}
TEAMS = {
    "home": "home_decor household_utilities construction_tools_house_garden bed_bath_table home_appliances"
            " home_office_furniture small_appliances",
    "health": "health_beauty food_supplement perfume",
    "electronics": "audio_video_electronics computers phone_mobile games_consoles",
}


def utc(local):
    """A local time as an instant. A time that the clocks jumped over is moved forward (fold 0 does that)."""
    return local.replace(tzinfo=ZONE).astimezone(datetime.timezone.utc)


def fourteen_days_later(instant):
    return utc(instant.astimezone(ZONE).replace(tzinfo=None) + datetime.timedelta(days=14))


def expect_leads(leads, won):
    counts = Counter()
    for lead in leads:
        if lead["origin"] not in ORIGINS:
            continue
        start = utc(datetime.datetime.strptime(lead["first_contact_date"], "%Y-%m-%d"))
        deal = won.get(lead["mql_id"])
        if deal is not None and deal < start:
            counts["refused GOAL_ALREADY_MET"] += 1
            continue
        counts["enrolled"] += 1
        # A timer that is due at the very instant of an event comes first.
        if deal is not None and deal < fourteen_days_later(start):
            counts["ended GOAL_MET"] += 1
        else:
            counts["completed"] += 1
            counts["landing-page: " + PAGES.get(lead["landing_page_id"], "default")] += 1
    return counts


def expect_deals(deals):
    counts = Counter(enrolled=len(deals), completed=len(deals))
    team_of = {segment: team for team, segments in TEAMS.items() for segment in segments.split()}
    for deal in deals:
        counts["segment: " + team_of.get(deal["business_segment"], "default")] += 1
    return counts


def reported(command, workflow):
    stats = json.loads(subprocess.run(shlex.split(command) + ["workflow", workflow, "--json"], check=True, capture_output=True).stdout)
    counts = Counter(enrolled=int(stats["enrolled"]), completed=int(stats["completed"]))
    if int(stats["active"]):
        counts["still active"] = int(stats["active"])
    for word, field in (("ended", "unenrolled"), ("refused", "refused")):
        for named in stats[field]:
            counts[f"{word} {named['name']}"] += int(named["count"])
    for step in stats["steps"]:
        for branch in step["branches"]:
            if int(branch["count"]):
                counts[f"{step['step_id']}: {branch['name']}"] += int(branch["count"])
    return counts


def compare(workflow, expected, actual):
    print(workflow)
    for name in sorted(set(expected) | set(actual)):
        sign = "=" if expected[name] == actual[name] else "DIFFERS"
        print(f"  {name:<28} csv {expected[name]:>6}  roster {actual[name]:>6}  {sign}")
    return all(expected[name] == actual[name] for name in set(expected) | set(actual))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leads")
    parser.add_argument("deals")
    parser.add_argument("--roster", default="roster", help="how to call the roster tool")
    arguments = parser.parse_args()
    with open(arguments.leads, newline="", encoding="utf-8") as file:
        leads = list(csv.DictReader(file))
    with open(arguments.deals, newline="", encoding="utf-8") as file:
        deals = list(csv.DictReader(file))
    won = {deal["mql_id"]: utc(datetime.datetime.strptime(deal["won_date"], "%Y-%m-%d %H:%M:%S")) for deal in deals}
    results = [
        compare("lead-follow-up", expect_leads(leads, won), reported(arguments.roster, "lead-follow-up")),
        compare("deal-handover", expect_deals(deals), reported(arguments.roster, "deal-handover")),
    ]
    print("every count is equal" if all(results) else "counts differ")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
