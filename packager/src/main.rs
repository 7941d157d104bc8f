fn main() -> anyhow::Result<()> {
    let cache = rm_runtime::cache::Cache::user();
    let t = std::time::Instant::now();
    let built = rm_pack::engine::BuiltEngine::ensure(&cache, &|s| eprintln!("{:?} {s}", t.elapsed()))?;
    eprintln!("{:?} {:#?}", t.elapsed(), built.facts);
    Ok(())
}
