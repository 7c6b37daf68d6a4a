"""The steps of builds as a tree, which command line and dashboard share."""
