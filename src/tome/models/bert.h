// BERT (Devlin et al., 2019), RoBERTa (Liu et al., 2019) and XLM-RoBERTa (Conneau et al., 2020) are
// post-norm encoders with learned positions. MiniLM, BGE, E5 and GTE are BERTs; BGE-M3 and the
// multilingual E5 are XLM-RoBERTas. The last two architectures count positions from the padding
// token's number on.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture BertArchitecture();
Architecture XlmRobertaArchitecture();  // its GGUF files are `bert`
Architecture RobertaArchitecture();     // its GGUF files are `bert`

}  // namespace tome
