/// Labelled images: from a file or folder to the rows of a batch.
///
/// In the order in which data flows: [DataSet#open] makes [LabelledImages] of a data set, [Images]
/// on the heap or [Photos] that stay in their files; a [Normalization] is taken from the training
/// images; [Epochs] says in which order an epoch visits them and which rows of a batch belong to
/// which worker; a [Loader] normalises, augments ([Augmentation]) and writes those rows into memory
/// that the caller gives.
///
/// Nothing here keeps state or starts a generator: every order, crop and flip is a
/// [fathom.RandomKey] of the seed, the epoch and the index of the image.
@NullMarked
package fathom.data;

import org.jspecify.annotations.NullMarked;
