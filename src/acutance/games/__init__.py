"""Adversarial losses: what a critic and a network each want; one file each.

A game has two sides. `learner(critic, real, fake)` is the loss of the network that made `fake`,
`critic(critic, real, fake)` that of the critic; the loop holds the other side still.
"""
