/// The data that nets are trained and tested on, from a file or folder to the rows of a batch:
/// labelled images ([DataSet]), images with masks ([MaskSet]) and texts ([Text]).
///
/// For labelled images, data flows in this order: [DataSet#open] makes [LabelledImages] of a data
/// set, which are [Images] on the heap or [Photos] that stay in their files; a [Normalization] is
/// computed from the training images; [Epochs] decides in which order an epoch visits them and
/// which rows form a batch, and [Rows] which of these belong to which worker; a [Loader] normalises
/// and augments ([Augmentation]) the images and writes those rows into tensors.
///
/// No order, crop or flip depends on the state of a random generator: each is a function of a
/// [fathom.RandomKey] of the seed, the epoch and the index of the image.
@NullMarked
package fathom.data;

import org.jspecify.annotations.NullMarked;
