"""A pipeline of three small stages over numbers, to test the engine without any ultrasound."""
