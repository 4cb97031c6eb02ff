#!/usr/bin/env bash
# One worker of a campaign on Slurm: task I of the array makes share I of SHARDS into a store of its own.
#
#   sbatch --array=1-16 --export=ALL,SHARDS=16,PLAN=plan.toml,STORES=stores slurm.sh
#
# A worker that was killed goes on where it was when its task is sent again: --array=3 with the same SHARDS.
#SBATCH --job-name=assay
#SBATCH --cpus-per-task=1
#SBATCH --open-mode=append
#SBATCH --output=assay-%a.log
set -euo pipefail
: "${SHARDS:?how many shares there are}" "${PLAN:?the plan}" "${STORES:?the folder of the stores}"
# The cores that the task was given, whatever the node has.
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
mkdir -p "$STORES"
exec assay campaign run "$PLAN" --store "$STORES/$SLURM_ARRAY_TASK_ID.db" --shard "$SLURM_ARRAY_TASK_ID/$SHARDS"
