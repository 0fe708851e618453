"""Bounces, complaints and automatic replies: parsed and classified."""
