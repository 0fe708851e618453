"""The queue of deliveries: claims, the gate, outcomes, workers and their limits."""
