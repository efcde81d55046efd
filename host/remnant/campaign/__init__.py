"""Campaigns: a plan with `sweep`, each point a run of its own, in one folder that can be gone on with (README.md)."""

from .document import FILE_NAME, Campaign, PointRun, begin, take_up
from .runner import CampaignProgress, on_rig, run_campaign

__all__ = ["FILE_NAME", "Campaign", "CampaignProgress", "PointRun", "begin", "on_rig", "run_campaign", "take_up"]
