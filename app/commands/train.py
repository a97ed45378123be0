"""splinescope train"""
