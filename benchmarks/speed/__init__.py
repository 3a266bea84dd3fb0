"""How fast the built-in model is, and what makes it so: everything in one run.

Ways to compute the same vectors take turns, round after round, so that whatever else the machine
does falls on all of them; torchvision's ResNet50 takes part as the measure of the others. The
seconds to load the model and the memory it takes are those of a fresh process.
"""
