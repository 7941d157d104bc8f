//! Last step of building an engine: freeze the booted interpreter into the component.

use anyhow::anyhow;
use rm_runtime::python::Instance;
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

/// Add the functions through which wizer reads an instance's state.
pub(super) fn instrument(component: &[u8]) -> anyhow::Result<(ComponentContext<'_>, Vec<u8>)> {
    wizer()
        .instrument_component(component)
        .map_err(|error| anyhow!("preparing the engine for freezing: {error:?}"))
}

/// The component whose fresh instances are as `instance` is now.
pub(super) async fn freeze(
    context: &ComponentContext<'_>,
    instance: &mut Instance,
) -> anyhow::Result<Vec<u8>> {
    wizer()
        .snapshot_component(context, &mut Access { instance })
        .await
        .map_err(|error| anyhow!("freezing the engine: {error:?}"))
}

fn wizer() -> Wizer {
    let mut wizer = Wizer::new();
    // Nothing is called by wizer: the engine is booted by us, through its own interface.
    wizer.keep_init_func(true);
    wizer
}

struct Access<'a> {
    instance: &'a mut Instance,
}

/// Why reading an instance's state cannot fail.
const PRESENT: &str = "wizer asks for the functions that it added itself";

impl Access<'_> {
    async fn read<R>(&mut self, interface: &str, function: &str) -> R
    where
        R: wasmtime::component::Lift + 'static,
    {
        self.instance
            .call_exported(interface, function)
            .await
            .expect(PRESENT)
    }
}

impl ComponentInstanceState for Access<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        interface: &str,
        function: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        self.instance
            .call_exported_bytes(interface, function, contents)
            .await
            .expect(PRESENT);
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        self.read(interface, function).await
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.read(interface, function).await
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.read::<f32>(interface, function).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.read::<f64>(interface, function).await.to_bits()
    }
}
