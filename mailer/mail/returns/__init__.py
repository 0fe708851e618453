"""Reading what comes back: bounces, delays, complaints, receipts and automatic replies."""
